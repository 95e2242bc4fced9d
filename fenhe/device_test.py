"""`fenhe device test`: say live what a device sends, what becomes of it, and what is refused and why.

The same judgement as the collector's and the worker's, and the same kernels, in this process: nothing is stored by it.
"""

from __future__ import annotations

import datetime as dt
import queue
import secrets
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import orjson
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from fenhe.clear_errors import PlainError
from ingest.judgement import judge
from schemas.arrival import Arrival
from schemas.aside import AsideReason, SetAside
from schemas.readings import ADAPTERS, Kind, registers_of
from schemas.time import LOCAL
from schemas.topics import TOPIC_ROOT, TOPIC_VERSION
from streams.installed import installed
from streams.intake.admission import Directory, Refusal, admit, identify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from schemas.metrics import Row
    from schemas.registry import Device
    from schemas.settings import MqttSettings

ANSWER_S = 10.0
"""How long the broker may take to say that it will send what we ask for."""
MAX_BYTES = 262_144
"""As a collector takes, unless set otherwise."""
SHOWN = 3
"""Rows told of one reading."""
MUTE = {"device_id", "site_id", "ts", "seen_ts", "version", "reference_version"}
"""Fields of a row that say nothing new here."""


class Bench:
    """Judges messages as they come, and folds what is accepted as a worker would."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._folds = list(installed().readings)
        self._memory: dict[tuple[str, str], Any] = {}
        self._newest: dict[str, int] = {}

    def tell(self, topic: str, payload: bytes, received_ts: int) -> Iterator[str]:
        """What is to be said of a message, a line each."""
        at = dt.datetime.fromtimestamp(received_ts / 1_000, tz=LOCAL).strftime("%H:%M:%S")
        yield f"{at} {topic}  {len(payload)} bytes"
        judgement = judge(topic, payload, received_ts, max_bytes=MAX_BYTES)
        for item in judgement.quarantined:
            yield f"  refused, {item.reason.value}: {item.detail}"
        if not judgement.accepted:
            return
        kind = Kind(judgement.kind)
        device = identify(self._directory, judgement.site_id, kind, judgement.device_id)
        if isinstance(device, Refusal):
            yield f"  refused, {device.reason.value}: {device.detail}"
            return
        apart = orjson.loads(judgement.set_aside or b"{}")
        for number, values in enumerate(orjson.loads(judgement.readings)):
            aside = {
                name: SetAside(AsideReason(reason), value)
                for name, (reason, value) in apart.get(str(number), {}).items()
            }
            arrival = Arrival(device.device_id, received_ts, ADAPTERS[kind].validate_python(values), aside)
            yield from self._described(device, arrival, values)

    def _described(self, device: Device, arrival: Arrival, values: dict[str, Any]) -> Iterator[str]:
        reading = arrival.reading
        moment = dt.datetime.fromtimestamp(reading.ts / 1_000, tz=LOCAL)
        said = ", ".join(f"{name} {value}" for name, value in values.items() if name not in {"ts", "seq"})
        admitted = admit(self._directory, device, arrival)
        if isinstance(admitted, Refusal):
            yield f"  refused, {admitted.reason.value}: {admitted.detail}"
            return
        yield f"  accepted, {moment:%Y-%m-%d %H:%M:%S}: {said or 'no values'}"
        for name, aside in admitted.aside.items():
            yield f"  but {name} {aside.value!r} is not used: {aside.reason.value}"
        newest = self._newest.get(device.device_id)
        if newest is not None and reading.ts <= newest:
            what = (
                "the same moment again: a duplicate" if reading.ts == newest else "late: what follows is derived again"
            )
            yield f"  {what}"
            return
        self._newest[device.device_id] = reading.ts
        rows = list(self._rows(device, admitted))
        for row in rows[-SHOWN:]:
            yield f"  becomes {row_in_words(row)}"
        if newest is None and registers_of(device.kind):
            yield "  the first reading: a register tells what was used from its second reading on"

    def _rows(self, device: Device, arrival: Arrival) -> Iterator[Row]:
        for fold in self._folds:
            if isinstance(fold.source, frozenset) and device.kind in fold.source:
                key = (fold.name, device.device_id)
                self._memory[key], rows = fold.fold(self._memory.get(key), device, [arrival])
                yield from rows


def row_in_words(row: Row) -> str:
    """A row as "meter_minute 12:31 volume_m3 increment 0.42 coverage 1 quality good"."""
    table = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in type(row).__name__).lstrip("_")
    when = dt.datetime.fromtimestamp(row.ts / 1_000, tz=LOCAL).strftime("%H:%M")
    fields = {name: value for name, value in cast("Any", row)._asdict().items() if name not in MUTE}
    shown = [f"{name} {_short(name, value)}" for name, value in fields.items() if value not in (None, "", ())]
    return f"{table} {when} {', '.join(shown)}"[:300]


def _short(name: str, value: object) -> str:
    if name.endswith("_ts") and isinstance(value, int):
        return dt.datetime.fromtimestamp(value / 1_000, tz=LOCAL).strftime("%d %b %H:%M:%S")
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def subscription(site: str | None, device: str | None) -> str:
    """The topic to listen to: all of a site, or one device."""
    return f"{TOPIC_ROOT}/{TOPIC_VERSION}/{site or '+'}/+/{device or '+'}"


def listen(settings: MqttSettings, topics: Sequence[str], take: Callable[[str, bytes], None]) -> paho.Client:
    """Subscribe, and hand every message over; return once the broker has said that it will send them.

    Raises PlainError where the broker does not answer or does not let us listen.
    """
    address = urlsplit(settings.mqtt_url)
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"fenhe-device-test-{secrets.token_hex(4)}")
    if settings.mqtt_username is not None:
        password = settings.mqtt_password
        client.username_pw_set(settings.mqtt_username, password.get_secret_value() if password else None)
    if address.scheme == "mqtts":
        client.tls_set(ca_certs=settings.mqtt_ca_file)
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def connected(_client: object, _data: object, _flags: object, code: ReasonCode, _properties: object) -> None:
        if code.is_failure:
            answers.put(str(code))
        else:
            client.subscribe([(topic, 1) for topic in topics])

    def subscribed(_client: object, _data: object, _mid: object, codes: list[ReasonCode], _properties: object) -> None:
        answers.put(next((str(code) for code in codes if code.is_failure), None))

    def came(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        take(message.topic, bytes(message.payload))

    client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, came
    try:
        client.connect(address.hostname or "127.0.0.1", address.port or 1883)
    except OSError as error:
        msg = f"the broker at {settings.mqtt_url} does not answer ({error}): is `fenhe serve` running?"
        raise PlainError(msg) from None
    client.loop_start()
    try:
        refusal = answers.get(timeout=ANSWER_S)
    except queue.Empty:
        refusal = f"no answer in {ANSWER_S} s"
    if refusal is not None:
        client.loop_stop()
        msg = f"the broker at {settings.mqtt_url} does not let us listen ({refusal}): who may, FENHE_MQTT_USERNAME says"
        raise PlainError(msg)
    return client
