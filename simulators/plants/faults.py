"""Meter faults: transformations of one device's stream of messages, each equal to its label, composable.

What flows does not change; what the device says of it does. Source: docs/simulators.md, "Meter faults".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.readings import Kind, registers_of
from simulators.truth import LabelKind, TrueValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from schemas.registry import Device
    from simulators.truth import Label
    from simulators.wire.message import DeviceMessage

RATES = ("power_kw", "power_mw", "flow_m3_h", "flow_t_h", "steam_flow_t_h")
DIGITS = 3
"""Registers on the wire have at most three decimals."""
SECOND_COPY_MS = 2_000
"""A duplicate is sent this much after the original. (unsourced)"""
PHASE_LOSS = -1 / 3
"""One of three. Source: docs/simulators.md, "Parameters and their sources"."""
FAULT_KINDS = frozenset(
    {
        LabelKind.FREEZE,
        LabelKind.FREEZE_CATCH_UP,
        LabelKind.GAP,
        LabelKind.DUPLICATE,
        LabelKind.LATE,
        LabelKind.CLOCK_JUMP,
        LabelKind.RESET,
        LabelKind.ROLLOVER,
        LabelKind.REPLACEMENT,
        LabelKind.PHASE_LOSS,
        LabelKind.SCALE,
        LabelKind.SLOW_BIAS,
    }
)


class MeterFault:
    """One fault of one device. Fed its messages in the order of sending, one reading each."""

    def __init__(self, label: Label, device: Device) -> None:
        self.label = label
        self.device = device
        self._registers = registers_of(device.kind)

    def through(self, message: DeviceMessage) -> Iterator[DeviceMessage]:
        """What becomes of a message: nothing, the message, another one, or several."""
        raise NotImplementedError

    def moments(self) -> Iterator[TrueValue]:
        """True events since the last call that the label could not know beforehand."""
        return iter(())

    def acts(self, at_ts: int) -> bool:
        """Whether a reading of `at_ts` is hit."""
        return self.label.start_ts <= at_ts and (self.label.end_ts is None or at_ts < self.label.end_ts)

    def _present(self, reading: dict[str, Any]) -> list[str]:
        return [name for name in self._registers if name in reading]


class Gap(MeterFault):
    """Nothing is heard."""

    def through(self, message: DeviceMessage) -> Iterator[DeviceMessage]:
        """Drop what falls into the gap."""
        if not self.acts(message.ts):
            yield message


class Duplicate(MeterFault):
    """Every message is sent `copies` times."""

    def through(self, message: DeviceMessage) -> Iterator[DeviceMessage]:
        """Send it, and again."""
        yield message
        if self.acts(message.ts):
            for copy in range(1, self.label.params["copies"]):
                yield message._replace(sent_ts=message.at_ts + copy * SECOND_COPY_MS)


class SentLate(MeterFault):
    """What is read is sent when the fault is over, with its own device time."""

    def through(self, message: DeviceMessage) -> Iterator[DeviceMessage]:
        """Hold it back."""
        end_ts = self.label.end_ts
        late = self.acts(message.ts) and end_ts is not None
        yield message._replace(sent_ts=end_ts) if late else message


class ClockJump(MeterFault):
    """The device's clock is wrong by `size` seconds; it sends when it always did."""

    def through(self, message: DeviceMessage) -> Iterator[DeviceMessage]:
        """Shift its time."""
        if not self.acts(message.ts):
            yield message
            return
        wrong = message.ts + round(self.label.size * 1_000)
        yield message._replace(readings=[{**message.readings[0], "ts": wrong}], sent_ts=message.at_ts)


class Counting(MeterFault):
    """The register counts `factor` times what flows: 2/3 without a phase, 10 with a wrong ratio, less when worn."""

    def __init__(self, label: Label, device: Device) -> None:
        super().__init__(label, device)
        self._before: dict[str, tuple[int, float]] = {}
        self._missed: dict[str, float] = {}

    def factor(self, at_ts: int) -> float:
        """Share of the flow that is counted."""
        if self.label.kind is LabelKind.SLOW_BIAS:
            end = self.label.end_ts or at_ts
            return 1 + self.label.size * (at_ts - self.label.start_ts) / max(1, end - self.label.start_ts)
        if self.label.kind is LabelKind.SCALE:
            return self.label.size
        return 1 + self.label.size

    def through(self, message: DeviceMessage) -> Iterator[DeviceMessage]:
        """Show what the register has counted."""
        reading = message.readings[0]
        ts, acts = message.ts, self.acts(message.ts)
        shown: dict[str, Any] = {}
        for name in self._present(reading):
            missed = self._miss(name, ts, reading[name])
            if missed:
                shown[name] = round(reading[name] - missed, DIGITS)
        if acts:
            shown |= self._rates(reading, self.factor(ts))
        yield message._replace(readings=[{**reading, **shown}]) if shown else message

    def _miss(self, name: str, ts: int, raw: float) -> float:
        """Carry what was missed in all to `ts`: of an interval that the fault only touches, its part."""
        before_ts, before = self._before.get(name, (ts, raw))
        self._before[name] = (ts, raw)
        start, end = self.label.start_ts, self.label.end_ts
        hit = min(ts, ts if end is None else end) - max(before_ts, start)
        if hit > 0:
            part = (raw - before) * hit / (ts - before_ts)
            self._missed[name] = self._missed.get(name, 0.0) + (1 - self.factor(ts)) * part
        return self._missed.get(name, 0.0)

    def _rates(self, reading: dict[str, Any], factor: float) -> dict[str, Any]:
        shown: dict[str, Any] = {name: round(reading[name] * factor, DIGITS) for name in RATES if name in reading}
        if "current_a" in reading:
            shown["current_a"] = [round(amps * factor, 2) for amps in reading["current_a"]]
        if self.label.kind is LabelKind.PHASE_LOSS:
            shown["current_a"] = [0.0, *reading["current_a"][1:]]
            shown["voltage_v"] = [0.0, *reading["voltage_v"][1:]]
        return shown


class Freeze(Counting):
    """The whole reading stands. Afterwards the register has either lost what flowed, or catches up in one step."""

    def __init__(self, label: Label, device: Device) -> None:
        super().__init__(label, device)
        self._held: dict[str, Any] | None = None

    def factor(self, at_ts: int) -> float:  # noqa: ARG002 - it always stands
        """Nothing is counted."""
        return 0.0

    def through(self, message: DeviceMessage) -> Iterator[DeviceMessage]:
        """Repeat the first reading of the freeze."""
        (counted,) = super().through(message)
        if self.acts(message.ts):
            if self._held is None:
                read = message.readings[0]
                self._held = {name: value for name, value in read.items() if name not in {"ts", "seq"}}
                self._held |= {name: counted.readings[0][name] for name in self._present(read)}
            yield message._replace(readings=[{**message.readings[0], **self._held}])
        elif self.label.kind is LabelKind.FREEZE_CATCH_UP:
            yield message
        else:
            yield counted


class Restart(MeterFault):
    """The register starts anew: from zero after a reset, from the new meter's reading after a replacement.

    While a meter is being replaced (from start to end, if the label has one) nothing is heard, and nothing counted.
    """

    def __init__(self, label: Label, device: Device) -> None:
        super().__init__(label, device)
        self._before: dict[str, tuple[int, float]] = {}
        self._shift: dict[str, float] = {}
        self._first_seq: int | None = None

    def through(self, message: DeviceMessage) -> Iterator[DeviceMessage]:
        """Show what the new count is."""
        reading = message.readings[0]
        begins = self.label.start_ts if self.label.end_ts is None else self.label.end_ts
        if self.label.start_ts <= message.ts < begins:
            self._remember(message)
            return
        if message.ts < begins:
            self._remember(message)
            yield message
            return
        shown: dict[str, Any] = {}
        for name in self._present(reading):
            if name not in self._shift:
                at_begin = _between(self._before.get(name), (message.ts, reading[name]), begins)
                self._shift[name] = self.label.params.get("register", 0.0) - at_begin
            shown[name] = max(0.0, round(reading[name] + self._shift[name], DIGITS))
        if self.label.kind is LabelKind.REPLACEMENT and "seq" in reading:
            self._first_seq = reading["seq"] if self._first_seq is None else self._first_seq
            shown["seq"] = reading["seq"] - self._first_seq
        yield message._replace(readings=[{**reading, **shown}])

    def _remember(self, message: DeviceMessage) -> None:
        for name in self._present(message.readings[0]):
            self._before[name] = (message.ts, message.readings[0][name])


class Rollover(MeterFault):
    """The register reaches `rollover_at` and goes on from zero, somewhere between the label's start and end.

    When exactly depends on what flows; the moment is told in the truth's states, quantity `rollover`.
    """

    def __init__(self, label: Label, device: Device) -> None:
        super().__init__(label, device)
        self._shift: float | None = None
        self._turns = 0.0
        self._moments: list[TrueValue] = []

    def through(self, message: DeviceMessage) -> Iterator[DeviceMessage]:
        """Show the register within its range; it begins `lead` below the end of it."""
        reading, limit = message.readings[0], self.label.params["rollover_at"]
        name = self.label.metric
        if self._shift is None:
            self._shift = limit - self.label.params["lead"] - reading[name]
        turns, value = divmod(round(reading[name] + self._shift, DIGITS), limit)
        if turns > self._turns:
            self._turns = turns
            self._moments.append(TrueValue(self.device.device_id, message.ts, "rollover", limit))
        yield message._replace(readings=[{**reading, name: round(value, DIGITS)}])

    def moments(self) -> Iterator[TrueValue]:
        """When it rolled over."""
        yield from self._moments
        self._moments.clear()


def fault_for(label: Label, device: Device) -> MeterFault:
    """The transformation that a label stands for. Raises ValueError where the device cannot have it."""
    if label.kind is LabelKind.PHASE_LOSS and device.kind is not Kind.ELECTRICITY:
        msg = f"{device.device_id} has no phases to lose: it is a meter of kind {device.kind}"
        raise ValueError(msg)
    return _CLASSES[label.kind](label, device)


_CLASSES: dict[LabelKind, type[MeterFault]] = {
    LabelKind.FREEZE: Freeze,
    LabelKind.FREEZE_CATCH_UP: Freeze,
    LabelKind.GAP: Gap,
    LabelKind.DUPLICATE: Duplicate,
    LabelKind.LATE: SentLate,
    LabelKind.CLOCK_JUMP: ClockJump,
    LabelKind.RESET: Restart,
    LabelKind.ROLLOVER: Rollover,
    LabelKind.REPLACEMENT: Restart,
    LabelKind.PHASE_LOSS: Counting,
    LabelKind.SCALE: Counting,
    LabelKind.SLOW_BIAS: Counting,
}


class Faults:
    """All faults of a scene, by device; a device with several passes its messages through them in turn."""

    def __init__(self, faults: Sequence[MeterFault] = ()) -> None:
        self._by_device: dict[str, list[MeterFault]] = {}
        for fault in faults:
            self._by_device.setdefault(fault.device.device_id, []).append(fault)

    def through(self, messages: Iterable[DeviceMessage]) -> Iterator[DeviceMessage]:
        """Messages of all devices, in the order of sending; faulty ones as their faults make them."""
        by_device = self._by_device
        for message in messages:
            faults = by_device.get(message.device_id)
            if faults is None:
                yield message
            else:
                yield from _chain(message, faults)

    def registered(self, device: Device) -> Device:
        """Return a device as it must be registered: with its rollovers."""
        limits = {
            fault.label.metric: fault.label.params["rollover_at"]
            for fault in self._by_device.get(device.device_id, ())
            if fault.label.kind is LabelKind.ROLLOVER
        }
        return device.model_copy(update={"rollover": limits}) if limits else device

    def labels(self) -> list[Label]:
        """Every fault's label."""
        return [fault.label for faults in self._by_device.values() for fault in faults]

    def moments(self) -> Iterator[TrueValue]:
        """True events since the last call."""
        for faults in self._by_device.values():
            for fault in faults:
                yield from fault.moments()


def _chain(message: DeviceMessage, faults: Sequence[MeterFault]) -> list[DeviceMessage]:
    messages = [message]
    for fault in faults:
        messages = [out for each in messages for out in fault.through(each)]
    return messages


def _between(before: tuple[int, float] | None, after: tuple[int, float], ts: int) -> float:
    """Register at `ts`, linear between two readings; the later one's where there is no earlier."""
    if before is None or after[0] == before[0]:
        return after[1]
    return before[1] + (after[1] - before[1]) * (ts - before[0]) / (after[0] - before[0])
