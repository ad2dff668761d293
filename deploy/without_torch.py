"""Print what pyproject.toml asks for, extras named as arguments included, but torch.

For the images of ingest and dashboard, which never load it.
"""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = [wanted for name in sys.argv[1:] for wanted in project["optional-dependencies"][name]]
for requirement in [*project["dependencies"], *extras]:
    if re.split(r"[^\w-]", requirement)[0] != "torch":
        sys.stdout.write(requirement + "\n")
