"""How an incident is put in words."""

from rootward.model.series import Series
from rootward_worker.finding import Finding
from rootward_worker.story import title


def test_a_title_says_what_happened_with_units():
    def titled(metric: str, before: float, after: float) -> str:
        return title(Finding(Series.of(metric, "cart"), 0, 5.0, 9.0, before, after, harmful=True))

    assert titled("http_request_duration_seconds_p90", 0.05, 0.6) == (
        "cart http request duration p90 12× its baseline (600 ms, from 50 ms)"
    )
    assert titled("http_requests_errors_ratio", 0.0, 0.25) == (
        "cart http requests errors ratio rose to 25 %, from 0 %"
    )
    assert titled("process_resident_memory_bytes", 4e7, 1.2e8) == (
        "cart process resident memory 3× its baseline (120 MB, from 40 MB)"
    )
