"""python -m tests.deploy.golden: write the golden files again; read the diff before committing."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.deploy import chart

if __name__ == "__main__":
    for name, values in chart.GOLDEN.items():
        text = yaml.safe_dump_all(chart.render(values), sort_keys=False, width=100)
        Path(__file__).with_name("golden").joinpath(f"{name}.yaml").write_text(text, "utf-8")
