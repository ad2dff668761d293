import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rootward.errors import InvalidInput, NotFound
from rootward_cli.main import app

SERVICES = ("front", "cart", "orders", "payment", "user")


def _recording(folder: Path, *, broken: str | None, rows: int = 120, onset: int = 90) -> Path:
    """Five services with latency and CPU; the broken one's CPU and latency jump."""
    rng = np.random.default_rng(7)
    columns = {}
    for service in SERVICES:
        columns[f"{service}|cpu_usage"] = 0.3 + 0.02 * rng.standard_normal(rows)
        columns[f"{service}|latency_seconds"] = 0.1 + 0.01 * rng.standard_normal(rows)
    if broken:
        columns[f"{broken}|cpu_usage"][onset:] += 0.6
        columns[f"{broken}|latency_seconds"][onset:] += 0.5
        columns["front|latency_seconds"][onset + 1 :] += 0.3
    path = folder / f"{broken or 'calm'}.csv"
    body = np.column_stack([1_700_000_000 + 5 * np.arange(rows), *columns.values()])
    header = ",".join(["time", *columns])
    np.savetxt(path, body, delimiter=",", header=header, comments="")
    return path


def _lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _run(*arguments: str | Path):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_diagnose_names_the_broken_service_with_and_without_an_onset(tmp_path: Path):
    path, found = _recording(tmp_path, broken="cart"), tmp_path / "found.jsonl"
    for extra in ([], ["--onset", "1700000450"]):
        assert _run("diagnose", path, "--jsonl", found, *extra).exit_code == 0
        (line,) = _lines(found)
        assert line["candidates"][0]["service"] == "cart"
        assert line["onset_unix"] == pytest.approx(1_700_000_450, abs=10)
        assert not line["abstained"]
        assert line["error"] is None


def test_a_line_holds_exactly_what_the_manual_promises(tmp_path: Path):
    found = tmp_path / "found.jsonl"
    _run("diagnose", _recording(tmp_path, broken="user"), "--jsonl", found, "--top", "2")
    (line,) = _lines(found)
    promised = {"case", "onset_unix", "seconds", "abstained", "candidates", "error"}
    assert promised <= set(line)
    assert [c["rank"] for c in line["candidates"]] == [1, 2]
    assert {"rank", "service", "series", "score", "evidence"} == set(line["candidates"][0])


def test_a_calm_recording_gets_no_confident_cause(tmp_path: Path):
    found = tmp_path / "found.jsonl"
    assert _run("diagnose", _recording(tmp_path, broken=None), "--jsonl", found).exit_code == 0
    (line,) = _lines(found)
    assert line["abstained"]
    assert "no confident cause" in line["conclusion"].lower()


def test_a_case_that_fails_is_a_line_with_its_error_and_the_others_go_on(tmp_path: Path):
    good = _recording(tmp_path, broken="orders")
    broken = tmp_path / "torn.csv"
    broken.write_text("time,a|x\n0,1,2\n")
    found = tmp_path / "found.jsonl"
    assert _run("diagnose", good, broken, "--jsonl", found).exit_code == 0
    first, second = _lines(found)
    assert first["candidates"][0]["service"] == "orders"
    assert second["candidates"] == []
    assert "3 cells" in second["error"]


def test_diagnose_fails_when_every_case_fails(tmp_path: Path):
    broken = tmp_path / "torn.csv"
    broken.write_text("time,a|x\n0,1,2\n")
    done = _run("diagnose", broken)
    assert done.exit_code == 1
    assert "3 cells" in done.output


def test_the_readable_answer_shows_service_evidence_and_confidence(tmp_path: Path):
    done = _run("diagnose", _recording(tmp_path, broken="payment"))
    assert "payment" in done.output
    assert "confidence" in done.output


def test_other_methods_can_be_named_and_unknown_ones_are_refused(tmp_path: Path):
    path, found = _recording(tmp_path, broken="cart"), tmp_path / "found.jsonl"
    _run("diagnose", path, "--method", "n_sigma", "--onset", "1700000450", "--jsonl", found)
    assert _lines(found)[0]["candidates"][0]["service"] == "cart"
    assert isinstance(_run("diagnose", path, "--method", "magic").exception, NotFound)


def test_a_method_alone_gets_the_onset_that_is_found_where_none_is_known(tmp_path: Path):
    path, found = _recording(tmp_path, broken="cart"), tmp_path / "found.jsonl"
    assert _run("diagnose", path, "--method", "n_sigma", "--jsonl", found).exit_code == 0
    (line,) = _lines(found)
    assert line["candidates"][0]["service"] == "cart"
    calm = _recording(tmp_path, broken=None)
    _run("diagnose", calm, "--method", "n_sigma", "--jsonl", found)
    assert "needs the onset" in _lines(found)[0]["error"]


def test_a_method_that_does_not_rank_gives_its_answer_and_what_it_rests_on(tmp_path: Path):
    path, found = _recording(tmp_path, broken="cart"), tmp_path / "found.jsonl"
    shown = _run("diagnose", path, "--method", "ridge_granger")
    assert "causal edges between" in shown.output
    assert "cause" in shown.output
    _run("diagnose", path, "--method", "ridge_granger", "--jsonl", found)
    result = _lines(found)[0]["result"]
    assert (result["status"], result["blocks"][0]["kind"]) == ("ok", "graph")
    assert result["inputs"]["rows"] > 0


def test_every_method_is_listed_with_all_it_says_of_itself():
    listed = {one["name"]: one for one in json.loads(_run("methods", "--json").output)}
    assert listed["ridge_granger"]["available"] is True
    assert listed["ridge_granger"]["anchors"] == ["graph"]
    lag = listed["ridge_granger"]["parameters"]["max_lag"]
    assert lag["default"] == 3
    assert "lag" in lag["description"]
    assert set(listed) <= {word for line in _run("methods").output.splitlines()
                           for word in line.split()}  # fmt: skip


def test_a_new_method_and_its_test_are_written_once(tmp_path: Path):
    (tmp_path / "shared/rootward/methods/change").mkdir(parents=True)
    new = ("new-method", "change", "median_shift", "--root", tmp_path)
    assert _run(*new).exit_code == 0
    written = tmp_path / "shared/rootward/methods/change/median_shift.py"
    compile(written.read_text(), written, "exec")
    assert "class MedianShift(Method)" in written.read_text()
    assert (tmp_path / "tests/methods/change/test_median_shift.py").is_file()
    assert isinstance(_run(*new).exception, InvalidInput)
    assert isinstance(_run("new-method", "magic", "wand").exception, InvalidInput)


def test_a_missing_path_is_refused(tmp_path: Path):
    assert isinstance(_run("diagnose", tmp_path / "nowhere").exception, InvalidInput)


def _labelled(folder: Path, *services: str) -> Path:
    """A data set of cases with a fault each."""
    for service in services:
        case = folder / "sets" / "made" / service
        case.mkdir(parents=True)
        _recording(case, broken=service).rename(case / "metrics.csv")
        about = {"dataset": "made", "inject_time": 1_700_000_450, "interval_s": 5,
                 "root_cause_service": service, "fault_type": "cpu",
                 "root_cause_metric": f"{service}|cpu_usage"}  # fmt: skip
        (case / "case.json").write_text(json.dumps(about))
    return folder / "sets"


def test_bench_scores_methods_on_labelled_cases_beside_chance(tmp_path: Path):
    lines = tmp_path / "out.jsonl"
    done = _run("bench", _labelled(tmp_path, "cart", "orders"),
                "--methods", "robust_z,diagnosis:none", "--jsonl", lines)  # fmt: skip
    assert done.exit_code == 0
    assert [line["service_rank"] for line in _lines(lines)] == [1, 1, 1, 1]
    assert all(line["retrieved"] for line in _lines(lines))
    found = [line.split() for line in done.output.splitlines()]
    assert ["made", "diagnosis:none", "2", "1.00"] in [words[:4] for words in found]
    assert ["made", "chance", "2", "0.20"] in [words[:4] for words in found]
    assert ["made", "cpu", "2", "1.00", "1.00", "1.00", "1.00", "0.20", "0.60"] in found


def test_bench_counts_rankings_that_change_with_columns_or_units(tmp_path: Path):
    done = _run("bench", _labelled(tmp_path, "cart"), "--methods", "n_sigma", "--check")
    found = [line.split() for line in done.output.splitlines()]
    assert ["n_sigma", "columns", "permuted", "1", "0", "0"] in found
    assert ["n_sigma", "units", "rescaled", "1", "0", "0"] in found


def test_bench_gives_the_methods_a_wrong_onset_if_asked(tmp_path: Path):
    lines = tmp_path / "out.jsonl"
    done = _run("bench", _labelled(tmp_path, "cart"), "--methods", "n_sigma",
                "--shift", "-5,20", "--jsonl", lines)  # fmt: skip
    assert [(line["variant"], line["shift"]) for line in _lines(lines)] == [
        ("as given", 0), ("onset -5", -5), ("onset +20", 20)]  # fmt: skip
    assert "-5 rows" in done.output
    assert isinstance(_run("bench", tmp_path, "--shift", "soon").exception, InvalidInput)


def test_bench_plants_incidents_and_shares_them_among_processes(tmp_path: Path):
    figures = tmp_path / "out" / "planted.json"
    done = _run("bench", "--planted", "1", "--methods", "n_sigma", "--jobs", "2",
                "--figures", figures)  # fmt: skip

    assert done.exit_code == 0
    rows = json.loads(figures.read_text())["rows"]
    shapes = {row["dataset"] for row in rows if row["dataset"].startswith("planted ")}
    assert len(shapes) == 8
    assert {row["failed"] for row in rows} == {0}


def test_bench_without_cases_says_so():
    assert isinstance(_run("bench", "--methods", "n_sigma").exception, InvalidInput)


def test_bench_scaling_adds_its_points_to_the_figures(tmp_path: Path):
    figures = tmp_path / "engine.json"
    figures.write_text('{"rows": []}')
    done = _run("bench-scaling", "--sizes", "12,24", "--figures", figures)

    assert done.exit_code == 0
    assert "power" in done.output
    document = json.loads(figures.read_text())
    assert [point["series"] for point in document["scaling"]] == [12, 24]
    assert document["rows"] == []


def test_bench_writes_the_figures_into_a_page(tmp_path: Path):
    page = tmp_path / "benchmarks.md"
    done = _run("bench", _labelled(tmp_path, "cart"), "--methods", "n_sigma", "--report", page)
    assert done.exit_code == 0
    assert "| made | n_sigma | 1 | 1.00 |" in page.read_text()
    assert str(tmp_path) not in page.read_text()


def test_bench_writes_the_figures_as_json(tmp_path: Path):
    file = tmp_path / "out" / "engine.json"
    _run("bench", _labelled(tmp_path, "cart"), "--methods", "n_sigma", "--figures", file)
    found = json.loads(file.read_text())
    by_set, chance = [row for row in found["rows"] if row["fault"] is None]
    assert (by_set["dataset"], by_set["method"], by_set["ac1"]) == ("made", "n_sigma", 1.0)
    assert by_set["median_seconds"] > 0
    assert chance["method"] == "chance"
    assert chance["ac1"] == pytest.approx(0.2)


def test_bench_refuses_a_folder_without_labels(tmp_path: Path):
    _recording(tmp_path, broken="cart")
    assert isinstance(_run("bench", tmp_path).exception, InvalidInput)


def test_a_case_that_cannot_be_read_is_a_miss_of_every_method(tmp_path: Path):
    sets = _labelled(tmp_path, "cart", "orders")
    (sets / "made" / "orders" / "metrics.csv").write_text("time,a|x\n0,1,2\n")
    done = _run("bench", sets, "--methods", "robust_z")
    row = next(
        line.split() for line in done.output.splitlines() if "robust_z " in line and "made" in line
    )
    assert row[2:4] == ["2", "0.50"]
    assert row[-2] == "1"


def test_every_command_explains_itself():
    assert "replay" in _run("--help").output
    for command in ("diagnose", "bench", "demo", "replay", "up"):
        assert _run(command, "--help").exit_code == 0
