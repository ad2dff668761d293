import json
from pathlib import Path

import numpy as np
import pytest

from rootward.errors import InsufficientData, InvalidInput
from rootward_cli import cases


def _csv(folder: Path, text: str, name: str = "recording.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_becomes_a_window_with_gaps_kept(tmp_path: Path):
    path = _csv(tmp_path, "time,cart|cpu,cart#pod-1|latency\n0,1,2\n5,,3\n10,2,4\n")
    window = cases.read(path).window
    assert [str(s) for s in window.series] == ["cart|cpu", "cart#pod-1|latency"]
    assert window.step_seconds == 5
    assert np.isnan(window.values[1, 0])
    assert window.onset is None


def test_times_may_be_written_as_iso_8601(tmp_path: Path):
    path = _csv(tmp_path, "time,a|x\n2026-01-01T00:00:00Z,1\n2026-01-01T00:00:15+00:00,2\n")
    assert cases.read(path).window.times.tolist() == [1767225600.0, 1767225615.0]


def test_rows_out_of_order_are_sorted_and_repeated_times_keep_the_first(tmp_path: Path):
    recording = cases.read(_csv(tmp_path, "time,a|x\n10,3\n0,1\n10,9\n5,2\n"))
    assert recording.window.times.tolist() == [0, 5, 10]
    assert recording.window.values[:, 0].tolist() == [1, 2, 3]
    assert any("repeat a time" in notice for notice in recording.notices)


def test_another_separator_ends_the_service_at_its_first_occurrence(tmp_path: Path):
    path = _csv(tmp_path, "time,front-end_cpu_usage\n0,1\n1,2\n")
    (series,) = cases.read(path, separator="_").window.series
    assert (series.service, series.metric) == ("front-end", "cpu_usage")


def test_columns_without_a_service_are_left_out_and_said(tmp_path: Path):
    recording = cases.read(_csv(tmp_path, "time,a|x,whatever\n0,1,5\n1,2,5\n"))
    assert len(recording.window.series) == 1
    assert any("whatever" in notice for notice in recording.notices)


def test_infinite_values_are_not_measured_and_said(tmp_path: Path):
    recording = cases.read(_csv(tmp_path, "time,a|x\n0,inf\n1,2\n"))
    assert np.isnan(recording.window.values[0, 0])
    assert any("infinite" in notice for notice in recording.notices)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "first column must be `time`"),
        ("cart|cpu,time\n1,2\n", "first column must be `time`"),
        ("time,cart|cpu\n0,1,2\n", "3 cells"),
        ("time,cart|cpu\n0,high\n", "could not convert"),
        ("time,cart|cpu\nyesterday,1\n", "neither unix seconds nor ISO 8601"),
        ("time,cart|cpu\n1700000000000,1\n", "not in unix seconds"),
        ("time,cart_cpu\n0,1\n1,1\n", "--separator"),
        ("time,cart|cpu,cart|cpu\n0,1,1\n1,1,1\n", "stands there twice"),
    ],
)
def test_a_file_that_is_no_recording_says_what_is_wrong(tmp_path: Path, text: str, complaint: str):
    with pytest.raises(InvalidInput, match=complaint):
        cases.read(_csv(tmp_path, text))


def test_a_header_alone_and_a_single_row_are_too_little(tmp_path: Path):
    for text in ("time,a|x\n", "time,a|x\n0,1\n"):
        with pytest.raises(InsufficientData):
            cases.read(_csv(tmp_path, text))


def test_an_onset_after_the_last_row_is_refused(tmp_path: Path):
    path = _csv(tmp_path, "time,a|x\n0,1\n1,2\n")
    with pytest.raises(InsufficientData, match="after the last row"):
        cases.read(path, onset_unix=99)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    folder = tmp_path / "set" / "case-1"
    folder.mkdir(parents=True)
    _csv(folder, "time,cart|cpu,cart|instances,user|cpu\n0,1,1,1\n5,1,1,1\n10,9,2,1\n",
         "metrics.csv")  # fmt: skip
    about = {"dataset": "set", "inject_time": 7, "interval_s": 5, "leaky_columns": r"\|instances$",
             "root_cause_service": "cart", "fault_type": "cpu"}  # fmt: skip
    (folder / "case.json").write_text(json.dumps(about))
    (folder / "graph.json").write_text(json.dumps({"edges": [["user", "cart"]]}))
    return folder


def test_a_case_folder_gives_onset_step_and_calls_and_hides_leaky_columns(case: Path):
    recording = cases.read(case)
    assert [str(s) for s in recording.window.series] == ["cart|cpu", "user|cpu"]
    assert recording.window.onset == 2
    assert recording.calls == (("user", "cart"),)


def test_an_onset_given_by_hand_wins_over_the_label(case: Path):
    assert cases.read(case, onset_unix=3).window.onset == 1


def test_cases_are_found_at_any_depth(case: Path):
    assert cases.find([case.parent.parent]) == [case]
    assert cases.find([case]) == [case]


def test_a_path_without_a_recording_is_refused(tmp_path: Path):
    with pytest.raises(InvalidInput, match="holds no CSV"):
        cases.find([tmp_path])
    with pytest.raises(InvalidInput, match="does not exist"):
        cases.find([tmp_path / "nowhere"])


def test_the_label_names_services_metric_and_fault(case: Path):
    label = cases.label(case)
    assert (label.dataset, label.services, label.metric, label.fault) == (
        "set", ("cart",), None, "cpu",
    )  # fmt: skip
