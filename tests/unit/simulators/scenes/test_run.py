"""A run: history in arrays, then live alone, never ahead of the clock."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import orjson

from simulators.scenes import run
from simulators.scenes.run import RunPhase, RunProgress, SendingPace, simulate, wall_ts
from simulators.scenes.scene import Scene
from tests.unit.simulators.support import HOUR_MS, MINUTE_MS

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from simulators.wire.message import DeviceMessage


class Recorder:
    """A publisher that remembers what it was given, and when."""

    def __init__(self, stop_after: int | None = None, *, is_away: bool = False) -> None:
        self.messages: list[tuple[int, DeviceMessage]] = []
        self.stop = threading.Event()
        self._stop_after = stop_after
        self._is_away = is_away

    def publish(self, message: DeviceMessage, stop: threading.Event | None = None) -> bool:
        """Remember; set `stop` after enough. Whose broker is away waits for room, as the real one does."""
        self.messages.append((wall_ts(), message))
        if self._stop_after is not None and len(self.messages) >= self._stop_after:
            self.stop.set()
        return not (self._is_away and stop is not None and stop.wait(30))

    def flush(self, timeout_s: float = 30.0) -> bool:
        """Nothing is ever in flight."""
        return timeout_s > 0

    def report(self) -> dict[str, Any]:
        """Count what was given."""
        return {"published_total": sum(len(message.readings) for _, message in self.messages)}


def test_history_then_live_gives_every_reading_once_and_none_ahead_of_the_clock(tmp_path: Path) -> None:
    """A live reading leaves when the clock reaches its ts; together with history nothing is missing."""
    start_ts = wall_ts() - HOUR_MS
    publisher, steps = Recorder(), list[RunProgress]()
    report_path = tmp_path / "report.json"
    scene = Scene(seed=3, sets=300, start_ts=start_ts)
    report = simulate(
        scene, publisher, SendingPace(batch_size=20, live_s=2.5), progress=steps.append, report_path=report_path
    )

    ahead = [message.readings[-1]["ts"] - at for at, message in publisher.messages]
    assert max(ahead) <= 0
    live = [lead for lead, (_, message) in zip(ahead, publisher.messages, strict=True) if lead > -200]
    assert len(live) >= 5
    assert max(len(message.readings) for _, message in publisher.messages) > 10

    expected = list(Scene(seed=3, sets=300, start_ts=start_ts).advance(report["end_ms"]))
    sent = sorted((m.device_id, reading["ts"]) for _, m in publisher.messages for reading in m.readings)
    assert sent == sorted((m.device_id, m.ts) for m in expected)
    assert report["published_total"] == len(expected)
    assert orjson.loads(report_path.read_bytes()) == report
    assert {step.phase for step in steps} == {RunPhase.HISTORY, RunPhase.LIVE}
    assert steps[-1].done_readings == len(expected)


def test_a_paced_run_catches_up_with_the_clock_and_ends() -> None:
    """At 120 times real time, a minute of the past is through in half a second."""
    scene = Scene(seed=3, sets=5, start_ts=wall_ts() - MINUTE_MS, plants=False)
    began = wall_ts()
    report = simulate(scene, Recorder(), SendingPace(speed=120.0, live=False))
    assert 400 <= wall_ts() - began < 5_000
    assert report["end_ms"] >= began - 1_000


def test_a_run_stops_where_it_stands() -> None:
    """Setting the event ends history at once."""
    publisher = Recorder(stop_after=7)
    scene = Scene(seed=3, sets=5, start_ts=wall_ts() - HOUR_MS)
    simulate(scene, publisher, SendingPace(batch_size=1), stop=publisher.stop)
    assert len(publisher.messages) == 7


def test_the_next_run_goes_on_where_a_stopped_one_stands() -> None:
    """Every reading that was drawn is sent, the arrays that were still filling too: between two runs nothing lacks."""

    def scene() -> Scene:
        return Scene(seed=3, sets=20, start_ts=start_ts, plants=False)

    start_ts = wall_ts() - 2 * HOUR_MS
    first, second = Recorder(stop_after=3), Recorder()
    until = simulate(scene(), first, SendingPace(live=False), stop=first.stop)["end_ms"]
    later = scene()
    later.skip(until)
    end = simulate(later, second, SendingPace(live=False))["end_ms"]
    sent = {(m.device_id, r["ts"]) for _, m in [*first.messages, *second.messages] for r in m.readings}
    assert sent == {(m.device_id, m.ts) for m in scene().advance(end)}


def test_a_run_stops_soon_though_its_broker_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be sent is not waited for."""
    monkeypatch.setattr(run, "STOPPED_S", 0.1)
    publisher = Recorder(stop_after=1, is_away=True)
    began = wall_ts()
    scene = Scene(seed=3, sets=5, start_ts=began - HOUR_MS, plants=False)
    simulate(scene, publisher, SendingPace(live=False), stop=publisher.stop)
    assert wall_ts() - began < 10_000
    assert len(publisher.messages) == 1
