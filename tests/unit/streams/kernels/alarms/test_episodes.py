"""Delays, deadband and an operator's limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.metrics.signal import SAFETY_KINDS, Severity, SignalKind
from schemas.time import MINUTE_MS
from streams.kernels.alarms.episodes import episodes
from streams.kernels.alarms.reference import alarm_rules
from streams.kernels.alarms.rules import Condition, Rule, rule_for
from tests.unit.streams.kernels.alarms.verdicts import START_TS, verdict, verdicts

PLAIN = rule_for(alarm_rules(), {}, Condition("plant-1", "w-1", "flow_m3_h", "seasonal"))
SAFETY = rule_for(alarm_rules(), {}, Condition("bs-1", "s-1", "smoke", "smoke"))


def spans(picture: str, rule: Rule = PLAIN) -> list[tuple[int, int | None]]:
    """Episodes of a picture: minute raised, minute over."""
    return [
        (
            (one.raised.ts - START_TS) // MINUTE_MS,
            None if one.cleared_ts is None else (one.cleared_ts - START_TS) // MINUTE_MS,
        )
        for one in episodes(verdicts(picture), rule)
    ]


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        ("..#...", []),
        ("..##..", [(3, None)]),
        ("..##...", [(3, 4)]),
        ("..####..#...", [(3, 9)]),
        ("..#.#.#.#.", []),
        ("..##..##..##...", [(3, 12)]),
        ("..##...##...", [(3, 4), (8, 9)]),
        ("########", [(1, None)]),
    ],
)
def test_delays_count_samples(picture: str, expected: list[tuple[int, int | None]]) -> None:
    """Two samples on, three off: a flicker is no alarm, and an alarm does not flicker."""
    assert spans(picture) == expected


def test_safety_has_no_on_delay() -> None:
    """The first sample raises, and latches."""
    assert spans("..#...", SAFETY) == [(2, 3)]
    assert SAFETY.latching
    assert SAFETY.safety
    for kind in SAFETY_KINDS:
        rule = rule_for(alarm_rules(), {}, Condition("bs-1", "s-1", "", kind.value))
        assert (rule.on_delay_samples, rule.latching) == (1, True), kind


@given(st.text(alphabet="#.", max_size=60), st.integers(0, 60))
def test_it_does_not_matter_where_one_begins_to_look(picture: str, cut: int) -> None:
    """Seen from the sample that raised it on, an episode is the same."""
    whole = episodes(verdicts(picture), PLAIN)
    for one in whole:
        part = [item for item in verdicts(picture) if item.ts >= one.raised.ts]
        assert episodes(part, PLAIN)[0] == one
    later = [item for item in verdicts(picture) if item.ts >= START_TS + cut * MINUTE_MS]
    ends = {one.ended_ts for one in whole}
    assert all(one.ended_ts in ends for one in episodes(later, PLAIN))


def test_within_the_deadband_a_return_is_held() -> None:
    """A value that has only just come back is not over; one that came back further is."""
    raised = [verdict(0, active=True, samples=1, value=12), verdict(1, active=True, samples=2, value=12)]

    def over(value: float) -> list[tuple[int | None, int | None]]:
        rest = [verdict(1 + at, active=False, samples=at, since=2, value=value, high=10.0) for at in (1, 2, 3, 4)]
        return [(one.cleared_ts, one.pending_ts) for one in episodes([*raised, *rest], PLAIN)]

    moment = START_TS + 2 * MINUTE_MS
    assert over(9.8) == [(None, moment)]
    assert over(9.4) == [(moment, None)]


def test_an_operators_limit_outweighs_a_detector() -> None:
    """What lies within the limits somebody set is no evidence, of that device and metric only."""
    settings = {
        ("seasonal", "plant-1", "", ""): {"high": 20.0},
        ("seasonal", "plant-1", "w-1", ""): {"on_delay_samples": 1.0},
    }
    rule = rule_for(alarm_rules(), settings, Condition("plant-1", "w-1", "flow_m3_h", "seasonal"))
    assert (rule.high, rule.on_delay_samples, rule.off_delay_samples) == (20.0, 1, 3)
    assert episodes([verdict(0, active=True, samples=1, value=19.0)], rule) == []
    assert len(episodes([verdict(0, active=True, samples=1, value=21.0)], rule)) == 1
    assert rule_for(alarm_rules(), settings, Condition("plant-2", "w-1", "flow_m3_h", "seasonal")) == PLAIN


def test_an_episode_is_as_bad_as_its_worst() -> None:
    """Severity rises at once and does not fall within an episode."""
    found = episodes(
        [
            verdict(0, active=True, samples=2, severity=Severity.LOW),
            verdict(1, active=True, samples=3, severity=Severity.HIGH),
            verdict(2, active=True, samples=4, severity=Severity.MEDIUM),
        ],
        PLAIN,
    )
    assert [one.worst for one in found] == [Severity.HIGH]


def test_every_kind_with_rules_of_its_own_is_a_detectors() -> None:
    """A misspelt kind would silently have the defaults."""
    assert set(alarm_rules().kinds) <= set(SignalKind)
    assert set(alarm_rules().realarm_h) == set(Severity)


def test_a_second_onset_on_top_of_the_first_begins_an_episode_of_its_own() -> None:
    """Samples counted anew with no verdict between that it was over: a second leak while the first still runs."""
    rule = rule_for(alarm_rules(), {}, Condition("plant-1", "w-1", "flow_m3_h", "night_flow"))
    samples = [1, 2, 3, 1, 2]
    signals = [verdict(at, active=True, samples=each, kind=SignalKind.NIGHT_FLOW) for at, each in enumerate(samples)]
    first, second = episodes(signals, rule)
    assert (first.raised, first.ended_ts, second.raised, second.renewed) == (
        signals[0],
        signals[3].ts,
        signals[3],
        True,
    )
    assert second.cleared_ts is None
    assert len(episodes([*signals[:3], verdict(3, active=False, samples=1), *signals[3:]], rule)) == 1
