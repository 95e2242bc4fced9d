"""What stands on the alarms' topic does not depend on the order in which collectors put readings into the log."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from schemas.alarms import alarm_id
from schemas.kafka.safety import SafetyEvent, SafetyRecord
from schemas.readings import Kind
from schemas.time import DAY_MS
from streams.guard.recent import KEPT
from streams.guard.watch import SAVE_MS, SafetyWatch
from streams.installed import installed
from streams.intake.decode import decode
from tests.support.pipeline import Sent, record

if TYPE_CHECKING:
    from collections.abc import Iterable

START_TS = 1_780_000_000_000
FOLDS = installed().readings


def world(rng: random.Random) -> list[Sent]:
    """Inputs that come and go, temperatures that climb and fall, each device once a minute."""
    smoke, celsius = False, 25.0
    sent: list[Sent] = []
    for at in range(80):
        smoke = smoke != (rng.random() < 0.15)
        celsius = min(90.0, max(20.0, celsius + rng.choice((-9.0, -3.0, 0.0, 3.0, 9.0))))
        ts = START_TS + at * 60_000
        sent.append(Sent("bs-1", Kind.SITE_POWER, "s-1", {"ts": ts, "smoke": smoke, "water": at % 40 > 30}))
        values = {"temperature_c": [celsius, 25.0], "current_a": 0.0}
        sent.append(Sent("bs-1", Kind.BATTERY, "b-1", {"ts": ts, **values}))
    return sent


def interleaved(sent: list[Sent], rng: random.Random) -> list[Sent]:
    """Two collectors take turns: what one holds overtakes what the other one has taken, some of it comes twice."""
    hands: list[list[Sent]] = [[], []]
    log: list[Sent] = []
    for item in sent:
        hands[rng.random() < 0.5].append(item)
        for hand in hands:
            # Neither is behind by more than half of the readings that a guard keeps of each of the two devices.
            while len(hand) > KEPT // 2 or (hand and rng.random() < 0.3):
                log.append(hand.pop(0))
                if rng.random() < 0.1:
                    log.append(log[-1])
    return [*log, *hands[0], *hands[1]]


def records(log: list[Sent], rng: random.Random) -> list[list[Sent]]:
    """Cut into Kafka records of any size."""
    cut: list[list[Sent]] = []
    while log:
        size = rng.randint(1, 5)
        cut, log = [*cut, log[:size]], log[size:]
    return cut


def standing(published: Iterable[SafetyRecord]) -> dict[str, tuple[str, int, int | None]]:
    """What a consumer of the topic holds for true: per id its kind, and the samples that raised and ended it."""
    found: dict[str, tuple[str, int, int | None]] = {}
    for item in published:
        if item.event is SafetyEvent.RAISE:
            assert item.alarm_id not in found
            found[item.alarm_id] = (item.kind, item.sample_ts, None)
        elif item.event is SafetyEvent.CLEAR:
            kind, raised_ts, ended_ts = found[item.alarm_id]
            assert ended_ts is None
            found[item.alarm_id] = (kind, raised_ts, item.sample_ts)
        else:
            del found[item.replaces or item.alarm_id]
            if not item.disproved:
                found[item.alarm_id] = (item.kind, item.sample_ts, item.ended_ts)
        if item.alarm_id in found:
            assert item.alarm_id == alarm_id(item.device_id, item.metric, item.kind, found[item.alarm_id][1])
    return found


@pytest.mark.parametrize("seed", range(8))
def test_any_interleaving_of_collectors_comes_to_the_same_alarms(seed: int) -> None:
    """Ids, samples that raised and that ended, also with a guard that dies and reads a part of the log again."""
    rng = random.Random(seed)
    sent = world(rng)
    plain = SafetyWatch(FOLDS)
    wanted = standing(item for one in sent for item in plain.take(decode(record(0, [one]), "t"), 0))
    assert len({kind for kind, _, _ in wanted.values()}) > 1
    for _ in range(2):
        log = [decode(record(0, part), "t") for part in records(interleaved(sent, rng), rng)]
        one = SafetyWatch(FOLDS)
        whole = [item for batch in log for item in one.take(batch, 0)]
        assert standing(whole) == wanted
        died, confirmed = rng.randrange(len(log)), 0
        first, heir = SafetyWatch(FOLDS), SafetyWatch(FOLDS)
        said = [item for batch in log[:died] for item in first.take(batch, 0)]
        heir.remember(said)
        confirmed = rng.randint(max(0, died - 6), died)
        for batch in log[:confirmed]:
            heir.learn(batch)
        said += [item for batch in log[confirmed:] for item in heir.take(batch, 0)]
        assert standing(said) == wanted


def test_a_late_reading_of_smoke_is_told_though_newer_ones_are_clear() -> None:
    """What came between two readings that a guard has taken already is an alarm that came and went."""
    watch = SafetyWatch(FOLDS)
    site = [Sent("bs-1", Kind.SITE_POWER, "s-1", {"ts": START_TS + at * 60_000, "smoke": at == 1}) for at in range(6)]
    said = [item for at in (0, 2, 3, 4, 5, 1) for item in watch.take(decode(record(0, [site[at]]), "t"), 0)]
    assert [(item.event, item.sample_ts) for item in said] == [
        (SafetyEvent.RAISE, START_TS + 60_000),
        (SafetyEvent.CLEAR, START_TS + 4 * 60_000),
    ]


def sagging(rng: random.Random) -> list[Sent]:
    """A set with a cell that is dead now and then, mostly for a dozen readings; a day of silence lies in the middle."""
    sent: list[Sent] = []
    ts, dead_until, well_until = START_TS, 0, 5
    for at in range(200):
        ts += DAY_MS if at == 100 else 60_000
        if at == well_until:
            dead_until = at + rng.randint(2, 14)
            well_until = dead_until + rng.randint(3, 9)
        cells = [round(rng.uniform(3.25, 3.26), 3) for _ in range(15)]
        values = {"pack_voltage_v": 48.84, "current_a": -45.0, "temperature_c": [23.5], "soc_pct": 88.8}
        cells.append(0.0 if at < dead_until else 3.25)
        sent.append(Sent("bs-1", Kind.BATTERY, "b-1", {"ts": ts, "cell_voltage_v": cells, **values}))
    return sent


def held_back(sent: list[Sent], rng: random.Random) -> list[Sent]:
    """Messages of six readings, some of which are overtaken by up to twenty readings, as in seed 62 of the hunter."""
    messages = [sent[at : at + 6] for at in range(0, len(sent), 6)]
    due = [(6 * at + (rng.randint(6, 26) if rng.random() < 0.2 else 0), at) for at in range(len(messages))]
    return [item for _, at in sorted(due) for item in messages[at]]


@pytest.mark.parametrize("seed", range(6))
def test_a_message_that_was_held_back_comes_to_the_same_alarms(seed: int) -> None:
    """None has the name of a reading in the middle of an episode whose first readings came late."""
    rng = random.Random(seed)
    sent = sagging(rng)
    plain = SafetyWatch(FOLDS)
    wanted = standing(item for one in sent for item in plain.take(decode(record(0, [one]), "t"), 0))
    assert len(wanted) > 2
    for _ in range(3):
        late = SafetyWatch(FOLDS)
        log = records(held_back(sent, rng), rng)
        assert standing(item for part in log for item in late.take(decode(record(0, part), "t"), 0)) == wanted


def test_what_is_learnt_of_a_device_is_saved_now_and_then() -> None:
    """Once in `SAVE_MS` of a device's time, whatever part of it has passed; not with every reading."""
    watch = SafetyWatch(FOLDS)
    saves = 0
    for offset in range(0, 2 * SAVE_MS, 600_000):
        sent = Sent("bs-1", Kind.SITE_POWER, "s-1", {"ts": START_TS + offset, "smoke": False})
        watch.take(decode(record(0, [sent], START_TS + offset), "t"), START_TS)
        saves += len(list(watch.to_save()))
    assert saves in {2, 3}
