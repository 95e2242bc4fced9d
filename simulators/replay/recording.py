"""Rows of a recorded file as messages of devices, in the file's order."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import itertools
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from schemas.topics import Topic
from simulators.replay.mapping import DECIMALS, Stamps, field_types
from simulators.wire.message import DeviceMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from simulators.replay.mapping import DeviceMapping, FieldSource, Mapping, TimeColumn

    Row = dict[str, str]


class RecordingError(ValueError):
    """The file and its mapping do not go together."""


class Survey(NamedTuple):
    """What a first pass over a file found."""

    rows: int
    """Rows that will be sent, after thinning."""
    first_ts: int
    last_ts: int


@dataclass(slots=True)
class Findings:
    """What could not be used, told instead of dropped in silence."""

    rows_thinned: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)
    """Cells that hold neither a value nor a word for none, by column."""
    examples: dict[str, str] = field(default_factory=dict)
    """The first of them, by column."""

    def note(self, column: str, cell: str, line: int) -> None:
        """Count an unreadable cell."""
        self.unreadable[column] += 1
        self.examples.setdefault(column, f"line {line}: {cell[:40]!r}")


class Recording:
    """A CSV file (also .csv.gz) with its mapping. It can be gone through any number of times, always alike."""

    def __init__(self, path: Path, mapping: Mapping) -> None:
        self._path, self._mapping = path, mapping
        self.findings = Findings()
        """Of the last time through."""
        self._clock = _Clock(mapping.time)

    def survey(self) -> Survey:
        """Go through once for the number of rows and the time they cover, before anything is sent.

        Raises RecordingError for a file of none, and for one whose order is wrong.
        """
        rows, first, last = 0, 1 << 62, -(1 << 62)
        channels = [_Channel(item, self._mapping, Findings()) for item in self._mapping.devices]
        for ts, line, row in self._rows():
            for channel in channels:
                channel.check(row, ts, line, is_ambiguous=self._clock.is_ambiguous)
            rows, first, last = rows + 1, min(first, ts), max(last, ts)
        if not rows:
            msg = f"{self._path} holds no row that could be sent"
            raise RecordingError(msg)
        return Survey(rows, first, last)

    def messages(self, shift_ms: int = 0) -> Iterator[DeviceMessage]:
        """One message for each row and device, device times moved by `shift_ms`.

        A device with a register made of increments first tells where it starts, an interval before its first row:
        without that nobody could know what the first row added. Raises RecordingError.
        """
        self.findings = Findings()
        channels = [_Channel(item, self._mapping, self.findings) for item in self._mapping.devices]
        for ts, line, row in self._rows():
            for channel in channels:
                yield from channel.take(row, ts + shift_ms, line)

    def _rows(self) -> Iterator[tuple[int, int, Row]]:
        """Time (ms), line and cells of each row that is kept."""
        thin_ms = 1_000 * (self._mapping.time.thin_s or 0.0)
        clock = self._clock = _Clock(self._mapping.time)
        kept: tuple[int, int] | None = None
        thinned = 0
        with self._open() as file:
            reader = csv.DictReader(file, delimiter=self._mapping.delimiter)
            missing = self._mapping.columns - set(reader.fieldnames or ())
            if missing:
                found = ", ".join(reader.fieldnames or ())
                msg = f"{self._path} has no column {', '.join(sorted(missing))}; it has {found}"
                raise RecordingError(msg)
            for row in reader:
                try:
                    run, ts = clock.read(row)
                except (ValueError, TypeError) as error:
                    msg = f"{self._path}, line {reader.line_num}: {error}"
                    raise RecordingError(msg) from error
                if thin_ms and kept is not None and kept[0] == run and 0 <= ts - kept[1] < thin_ms:
                    thinned += 1
                    self.findings.rows_thinned = thinned
                    continue
                kept = (run, ts)
                yield ts, reader.line_num, row

    def _open(self) -> io.TextIOBase:
        if self._path.suffix == ".gz":
            return io.TextIOWrapper(gzip.open(self._path), encoding="utf-8-sig", newline="")
        return self._path.open(encoding="utf-8-sig", newline="")


class _Clock:
    """Reads the time of row after row."""

    def __init__(self, time: TimeColumn) -> None:
        self._time = time
        self._zone = None if time.zone is None else ZoneInfo(time.zone)
        self._late_ms = 0 if time.stamps is Stamps.END else round(1_000 * (time.interval_s or 0))
        self._run = 0
        self._group: str | None = None
        self._last_ts: int | None = None
        self.is_ambiguous = False
        """Whether the last row's local time is one that the clock shows twice, at the end of summer time."""
        self._parse = self._parser()

    def read(self, row: Row) -> tuple[int, int]:
        """Number of the run and device time (ms) at which a row's values are known. Raises ValueError."""
        group = self._time.group
        if group is not None and row[group.column] != self._group:
            self._run += self._group is not None
            self._group = row[group.column]
        return self._run, self._parse(row[self._time.column]) + self._late_ms

    def _parser(self) -> Callable[[str], int]:
        pattern = self._time.format
        match pattern:
            case "epoch_ms":
                return lambda text: round(float(text))
            case "epoch_s":
                return lambda text: round(float(text) * 1_000)
            case "elapsed_s":
                return self._elapsed
            case "rfc3339":
                return lambda text: self._moment(dt.datetime.fromisoformat(text))
            case _:
                return lambda text: self._moment(dt.datetime.strptime(text, pattern))  # noqa: DTZ007 - the mapping names the zone

    def _elapsed(self, text: str) -> int:
        begins, group = self._time.begins, self._time.group
        assert begins is not None  # noqa: S101 - the mapping was validated
        run_s = 0.0 if group is None else self._run * group.every_s
        return round((begins.timestamp() + run_s + float(text)) * 1_000)

    def _moment(self, moment: dt.datetime) -> int:
        if moment.tzinfo is None:
            if self._zone is None:
                msg = f"{moment} has no time zone: name it in the mapping, as `zone: Asia/Shanghai`"
                raise ValueError(msg)
            return self._local(moment, self._zone)
        return round(moment.timestamp() * 1_000)

    def _local(self, moment: dt.datetime, zone: ZoneInfo) -> int:
        """Read a local time; one that the clock shows twice is the second where the first would go back in time."""
        first, second = (round(moment.replace(tzinfo=zone, fold=fold).timestamp() * 1_000) for fold in (0, 1))
        if first > second:
            msg = (
                f"{moment} is a time that clocks in {zone.key} leave out, at the begin of summer time: the recording"
                " keeps no summer time; name a zone without it, such as Etc/GMT-8 for UTC+8"
            )
            raise ValueError(msg)
        self.is_ambiguous = first < second
        is_second = self.is_ambiguous and self._last_ts is not None and first < self._last_ts <= second
        self._last_ts = second if is_second else first
        return self._last_ts


class _Channel:
    """One device: its registers as they build up, and its messages."""

    def __init__(self, mapping: DeviceMapping, whole: Mapping, findings: Findings) -> None:
        self._mapping, self._findings = mapping, findings
        device = mapping.device
        self._device_id = device.device_id
        self._topic = str(Topic(device.site_id, device.kind, device.device_id))
        self._types = field_types(device.kind)
        self._missing = frozenset(whole.missing)
        self._interval_ms = round(1_000 * (whole.time.interval_s or 0))
        self._registers = {name: source.start for name, source in mapping.fields.items() if source.increments}
        self._seq = itertools.count()
        self._last_ts: int | None = None
        self._begun = False

    def check(self, row: Row, ts: int, line: int, *, is_ambiguous: bool) -> None:
        """Hold one row's time against the row before. Raises RecordingError where they cannot both be true."""
        if not self._is_of(row):
            return
        last_ts, self._last_ts = self._last_ts, ts
        if last_ts is None or ts > last_ts:
            return
        if is_ambiguous and ts < last_ts:
            msg = (
                f"line {line}: {self._device_id} goes back in time within the hour that the clock shows twice, so its"
                " order does not tell the two hours apart: sort the file as it was measured, the oldest row first"
            )
            raise RecordingError(msg)
        if is_ambiguous and ts == last_ts:
            msg = (
                f"line {line}: {self._device_id} has this local time twice in a row: the file holds a change of clocks,"
                " and its order does not tell the two hours apart; put its rows as they were measured"
            )
            raise RecordingError(msg)
        if self._registers and ts < last_ts:
            msg = f"line {line}: {self._device_id} goes back in time, and increments add up only in order: sort it"
            raise RecordingError(msg)

    def _is_of(self, row: Row) -> bool:
        return all(row[column] == wanted for column, wanted in self._mapping.where.items())

    def take(self, row: Row, ts: int, line: int) -> Iterator[DeviceMessage]:
        """Give the messages of one row."""
        if not self._is_of(row):
            return
        self.check(row, ts, line, is_ambiguous=False)
        if self._registers and not self._begun and self._interval_ms:
            yield self._message({"ts": ts - self._interval_ms, **self._registers})
        self._begun = True
        reading: dict[str, Any] = {"ts": ts}
        for name, source in self._mapping.fields.items():
            value = self._value(name, source, row, line)
            if value is not None:
                reading[name] = value
        if len(reading) > 1:
            yield self._message(reading)

    def _message(self, reading: dict[str, Any]) -> DeviceMessage:
        return DeviceMessage(self._topic, self._device_id, [{**reading, "seq": next(self._seq)}])

    def _value(self, name: str, source: FieldSource, row: Row, line: int) -> Any:  # noqa: ANN401 - any field's value
        kind = self._types[name]
        if kind == "array":
            items = [self._cell(source, column, "number", (row, line)) for column in source.columns]
            return items if any(item is not None for item in items) else None
        value = self._cell(source, source.columns[0], kind, (row, line))
        if source.increments and value is not None:
            self._registers[name] += value
            return round(self._registers[name], DECIMALS)
        return value

    def _cell(self, source: FieldSource, column: str, kind: str, where: tuple[Row, int]) -> Any:  # noqa: ANN401
        row, line = where
        cell = (row[column] or "").strip()
        if cell in source.values:
            return source.values[cell]
        if cell in self._missing:
            return None
        if kind == "string":
            return cell
        try:
            value = float(cell) * source.factor + source.offset
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or kind == "boolean":
            self._findings.note(column, cell, line)
            return None
        if kind == "integer":
            return round(value)
        return value if source.increments else round(value, DECIMALS)
