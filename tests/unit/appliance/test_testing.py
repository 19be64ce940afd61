"""How ``make test`` ends, and what it runs."""

from appliance.paths import ROOT
from appliance.testing import MORE_SUITES, SUITES, counts


def test_the_closing_line_holds_the_counts() -> None:
    output = "...\n==== slowest 10 durations ====\n1.0s call\n======= 1832 passed in 334.99s (0:05:34) =======\n"
    assert counts(output) == "1832 passed in 334.99s (0:05:34)"


def test_every_test_is_run_by_one_of_the_two_commands() -> None:
    named = [ROOT / suite for suite in (*SUITES, *MORE_SUITES)]
    found = [path for path in ROOT.glob("tests/**/test_*.py") if path.is_file()]
    assert found
    forgotten = [path for path in found if not any(path.is_relative_to(suite) for suite in named)]
    assert forgotten == []
