"""Print what pyproject.toml asks for: `light` what ingest and dashboard load, `learning` the rest.

Extras are named after `light`. Together they are all that the wheel needs.
"""

import re
import sys
import tomllib
from pathlib import Path

LEARNING = {"scipy", "torch"}  # tests/architecture: ingest and dashboard start without them

kind, *extras = sys.argv[1:]
project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
asked = [wanted for name in extras for wanted in project["optional-dependencies"][name]]
for requirement in [*project["dependencies"], *asked]:
    if (re.split(r"[^\w-]", requirement)[0] in LEARNING) == (kind == "learning"):
        sys.stdout.write(requirement + "\n")
