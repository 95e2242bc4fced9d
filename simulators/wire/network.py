"""What the network does between devices and broker: copies, reorders, holds back, breaks and adds. Seeded.

One gateway stands before the devices of each site. Everything it does is told in labels (what was planned) and in the
truth's states under the entity `network` (how many messages it came to).
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from schemas.time import HOUR_MS
from schemas.topics import TOPIC_ROOT, Topic
from simulators.truth import Label, LabelKind, TrueValue
from simulators.wire.disorder import Disorder
from simulators.wire.message import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from simulators.truth import TrueTotal
    from simulators.wire.message import DeviceMessage

COPY_AFTER_S = (0.05, 8.0)
"""A network's duplicate comes so much later. (unsourced)"""
SENT_APART_MS = 2
"""Two messages of a backlog leave a gateway so much apart. (unsourced)"""


@dataclass(frozen=True, slots=True)
class Offline:
    """Gateways without connection: what they read meanwhile is sent in a burst when it is back."""

    start_ts: int
    end_ts: int
    site_id: str = ""
    """One gateway; empty: a share of all of them."""
    share: float = 1.0
    within_ms: int = 30_000
    """They come back one after another within this time; a storm is many within a second."""


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """How bad the network is; the default is perfect."""

    duplicates: float = 0.0
    """Share of messages that arrive twice."""
    reordered: float = 0.0
    """Share of messages that are overtaken by later ones."""
    delay_ms: int = 20_000
    """A reordered message comes at most so much later."""
    malformed_per_h: float = 0.0
    foreign_per_h: float = 0.0
    skewed: float = 0.0
    """Share of gateways whose clock is wrong, each by a constant of its own."""
    skew_s: float = 60.0
    """Largest of those, either way."""
    offline: tuple[Offline, ...] = ()


class Network:
    """A network after a plan, for the gateways of `sites`."""

    def __init__(self, plan: NetworkPlan, *, seed: int, sites: Sequence[str], start_ts: int) -> None:
        self._plan = plan
        self._disorder = Disorder(
            duplicates=plan.duplicates,
            late=plan.reordered,
            late_by_s=plan.delay_ms / 1_000,
            copy_by_s=COPY_AFTER_S,
        )
        self._rng = random.Random(f"{seed}/network")
        self._start_ts = start_ts
        self.counts: Counter[str] = Counter()
        drawn = random.Random(f"{seed}/gateways")
        self._skew_ms = {
            site: round(drawn.uniform(-plan.skew_s, plan.skew_s) * 1_000)
            for site in sites
            if drawn.random() < plan.skewed
        }
        self._offline = [(offline, self._back(offline, sites, drawn)) for offline in plan.offline]
        self._next_free: dict[str, int] = {}
        """When a gateway that sends its backlog can send the next message."""
        self._broken_due_ts = start_ts + self._wait_ms(plan.malformed_per_h)
        self._foreign_due_ts = start_ts + self._wait_ms(plan.foreign_per_h)

    @staticmethod
    def _back(offline: Offline, sites: Sequence[str], rng: random.Random) -> dict[str, int]:
        """When each gateway that is hit is back."""
        hit = [offline.site_id] if offline.site_id else [site for site in sites if rng.random() < offline.share]
        return {site: offline.end_ts + rng.randrange(max(1, offline.within_ms)) for site in hit}

    def _wait_ms(self, per_h: float) -> int:
        return round(self._rng.expovariate(per_h) * HOUR_MS) if per_h else 1 << 60

    def labels(self) -> list[Label]:
        """What is planned: rates for the whole run, skews and outages by gateway."""
        plan, start = self._plan, self._start_ts
        rates = (
            (LabelKind.NETWORK_DUPLICATES, plan.duplicates, "share"),
            (LabelKind.NETWORK_REORDERING, plan.reordered, "share"),
            (LabelKind.MALFORMED, plan.malformed_per_h, "1/h"),
            (LabelKind.FOREIGN, plan.foreign_per_h, "1/h"),
        )
        labels = [Label(kind, "", "", "", start, None, size, unit) for kind, size, unit in rates if size]
        labels += [
            Label(LabelKind.CLOCK_SKEW, site, "", "ts", start, None, skew / 1_000, "s")
            for site, skew in self._skew_ms.items()
        ]
        for offline, back in self._offline:
            if len(back) > 1:
                params = {"gateways": len(back), "within_ms": offline.within_ms}
                labels.append(
                    Label(
                        *(LabelKind.RECONNECT_STORM, "", "", "", offline.start_ts, offline.end_ts),
                        *(float(len(back)), "gateways", params),
                    )
                )
            labels += [
                Label(LabelKind.GATEWAY_OFFLINE, site, "", "", offline.start_ts, at, (at - offline.start_ts) / 1e3, "s")
                for site, at in back.items()
            ]
        return labels

    def states(self, at_ts: int) -> Iterator[TrueValue]:
        """How many messages were copied, delayed, broken or added so far."""
        for name, count in sorted(self.counts.items()):
            yield TrueValue("network", at_ts, name, float(count))

    def totals(self, from_ts: int, to_ts: int) -> Iterator[TrueTotal]:  # noqa: ARG002 - nothing flows through it
        """No meters."""
        return iter(())

    def carry(self, messages: Iterable[DeviceMessage]) -> Iterator[DeviceMessage]:
        """Messages as they arrive at the broker; those that come later say so by `sent_ts`."""
        for message in messages:
            yield from self._added(message)
            carried = self._held_back(self._skewed(message))
            sent = self._disorder.delayed(carried, self._rng)
            if sent is not carried:
                self.counts["reordered"] += 1
            yield sent
            copy = self._disorder.copy_of(sent, self._rng)
            if copy is not None:
                self.counts["duplicates"] += 1
                yield copy

    def _skewed(self, message: DeviceMessage) -> DeviceMessage:
        skew = self._skew_ms.get(_site_of(message)) if self._skew_ms else None
        if skew is None:
            return message
        readings = [{**reading, "ts": reading["ts"] + skew} for reading in message.readings]
        return message._replace(readings=readings, sent_ts=message.at_ts)

    def _held_back(self, message: DeviceMessage) -> DeviceMessage:
        """Behind what is still waiting at its gateway, if that is offline or sends its backlog."""
        if not self._offline:
            return message
        site, at = _site_of(message), message.at_ts
        earliest = self._next_free.get(site, 0)
        for offline, back in self._offline:
            if offline.start_ts <= at < (returns := back.get(site, 0)):
                earliest = max(earliest, returns)
        if earliest <= at:
            return message
        self._next_free[site] = earliest + SENT_APART_MS
        self.counts["held_back"] += 1
        return message._replace(sent_ts=earliest)

    def _added(self, message: DeviceMessage) -> Iterator[DeviceMessage]:
        """What is broken or foreign, at random moments; a broken message is one of a device, damaged."""
        rng, at = self._rng, message.at_ts
        while self._broken_due_ts <= at:
            self.counts["malformed"] += 1
            yield message._replace(raw=_broken(encode(message), rng), sent_ts=at)
            self._broken_due_ts += self._wait_ms(self._plan.malformed_per_h)
        while self._foreign_due_ts <= at:
            self.counts["foreign"] += 1
            yield _foreign(message, rng)._replace(sent_ts=at)
            self._foreign_due_ts += self._wait_ms(self._plan.foreign_per_h)


def _site_of(message: DeviceMessage) -> str:
    return message.topic.split("/", 3)[2]


def _broken(payload: bytes, rng: random.Random) -> bytes:
    """A device's payload as a bad line or a bad firmware makes it."""
    middle = len(payload) // 2
    choices = (
        payload[:middle],
        payload[:middle] + b"\xff\xfe" + payload[middle:],
        payload.replace(b":", b":nan,", 1),
        payload.replace(b'"ts":', b'"ts":"', 1),
        b"",
        b"0" * 40,
        orjson.dumps({"ts": "yesterday"}),
    )
    return choices[rng.randrange(len(choices))]


def _foreign(message: DeviceMessage, rng: random.Random) -> DeviceMessage:
    """What others send to our topics: a device nobody registered, another version, another protocol."""
    site = _site_of(message)
    stranger = f"X{rng.randrange(1_000):03d}"
    choices = (
        (str(Topic(site, "water", stranger)), orjson.dumps({"ts": message.ts, "volume_m3": 1.0})),
        (f"{TOPIC_ROOT}/v9/{site}/water/{stranger}", orjson.dumps({"ts": message.ts})),
        (f"{TOPIC_ROOT}/v1/{site}/weather/{stranger}", orjson.dumps({"ts": message.ts, "wind_m_s": 3.2})),
        (message.topic, b"<reading><ts>0</ts></reading>"),
        (message.topic, b"\x08\xd0\x8d\xe0\xf3\xa53\x18\x00"),
    )
    topic, payload = choices[rng.randrange(len(choices))]
    return message._replace(topic=topic, device_id=topic.rsplit("/", 1)[1], raw=payload)
