"""The measured part of the benchmark page says what was measured and leaves the rest alone."""

from math import inf
from pathlib import Path

import pytest

from rootward.errors import InvalidInput
from rootward_cli.bench import Plan
from rootward_cli.benchmarks_page import BEGIN, END, command_line, into, section
from rootward_cli.evaluation import Outcome
from rootward_cli.measured import Measured


def _outcome(dataset: str, method: str, rank: float, **more) -> Outcome:
    known = {"case": "1", "fault": "cpu|mem", "series_rank": None, "seconds": 0.25,
             "services": 4, "causes": 1, "series": 40, "series_of_causes": 10}  # fmt: skip
    return Outcome(dataset=dataset, method=method, service_rank=rank, **(known | more))


def _measured(**more) -> Measured:
    plan = Plan((), ("good", "poor"), **more)
    outcomes = [
        _outcome(dataset, method, rank)
        for dataset in ("shop", "bank")
        for method, rank in (("poor", inf), ("good", 1))
    ]
    return Measured(plan, tuple(outcomes), seconds=12.0, peak_megabytes=345.0)


def test_the_answer_comes_first_and_names_best_next_and_chance():
    text = section(_measured(), "the command")
    answer = text.splitlines()[2]
    assert "2 cases of 2 data sets, `good` reaches AC@1 1.00" in answer
    assert "`poor`, AC@1 0.00" in answer
    assert "chance is worth AC@1 0.25" in answer


def test_it_tells_command_machine_memory_and_versions():
    text = section(_measured(), "rootward bench FOLDER")
    assert "    rootward bench FOLDER" in text
    for fact in ("345 MB", "cores", "numpy", "Rootward", "12 s"):
        assert fact in text


def test_a_bar_in_a_name_does_not_break_a_table():
    assert r"| bank | cpu\|mem | 1 |" in section(_measured(), "c")


def test_checks_and_curve_appear_only_where_they_were_run():
    plain = section(_measured(), "c")
    assert "### Columns and units" not in plain
    assert "### A wrong onset" not in plain
    changed = _outcome("shop", "good", 2, variant="units rescaled",
                       first_changed=True, order_changed=True)  # fmt: skip
    late = _outcome("shop", "good", 2, variant="onset +2", shift=2)
    given = _outcome("shop", "good", 1)
    found = Measured(Plan((), ("good",)), (given, changed, late), 1.0, 1.0)
    text = section(found, "c")
    assert "| good | units rescaled | 1 | 1 | 1 |" in text
    assert "| method | as given | +2 rows |" in text
    assert "| good | 1.00 1.00 | 0.00 0.80 |" in text


def test_what_stands_outside_of_the_markers_stays(tmp_path: Path):
    page = tmp_path / "benchmarks.md"
    page.write_text(f"# By hand\n\n{BEGIN}\nold figures\n{END}\n\nbelow\n")
    into(page, "new figures")
    into(page, "newer figures")
    text = page.read_text()
    assert text.startswith("# By hand\n")
    assert text.endswith(f"{END}\n\nbelow\n")
    assert "newer figures" in text
    assert "old figures" not in text
    assert "new figures" not in text.replace("newer", "")


def test_a_page_that_does_not_exist_is_begun(tmp_path: Path):
    into(tmp_path / "page.md", "figures")
    assert "figures" in (tmp_path / "page.md").read_text()


@pytest.mark.parametrize("text", ["no markers", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}{END}{BEGIN}"])
def test_a_page_without_one_pair_of_markers_is_refused_and_kept(tmp_path: Path, text: str):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(InvalidInput, match="must hold"):
        into(page, "figures")
    assert page.read_text() == text


def test_the_command_names_what_was_run_and_no_place_on_this_machine(tmp_path: Path):
    found = _measured(check=True, shifts=(-5, 2), seed=3)
    assert command_line(found, Path("docs/benchmarks.md")) == (
        "rootward bench FOLDER --methods good,poor --check --shift -5,2 --seed 3 "
        "--report docs/benchmarks.md"
    )
    assert str(tmp_path) not in command_line(found, tmp_path / "page.md")
