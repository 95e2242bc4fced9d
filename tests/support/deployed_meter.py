"""A meter of the deployed services: its site's password, and what came of its readings."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple

import yaml
from confluent_kafka import Consumer

from fenhe.local import wait_until
from tests.support.deployment import PATIENCE_S, SIMULATED_SETS, Deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Meter(NamedTuple):
    """A meter and its site's password."""

    site_id: str
    device_id: str
    password: str

    @property
    def topic(self) -> str:
        """Where it publishes."""
        return f"fenhe/v1/{self.site_id}/electricity/{self.device_id}"


def registered_meter(deployment: Deployment) -> Meter:
    """One of the simulated world's, with a credential of its site as an operator makes it."""
    done = deployment.run("simulated-registry")
    assert done.code == 0, done.said
    world = yaml.safe_load((deployment.folder("simulated-registry", "/tmp") / "world.yaml").read_text(encoding="utf-8"))  # noqa: S108
    assert len([device for device in world["devices"] if device["kind"] == "battery"]) == int(SIMULATED_SETS)
    found = next(device for device in world["devices"] if device["kind"] == "electricity")
    issued = deployment.credentials("new", found["site_id"])
    assert issued.code == 0, issued.said
    return Meter(found["site_id"], found["device_id"], issued.said.strip())


def now_ts() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def stored(deployment: Deployment, device_id: str, ts: int) -> bool:
    """Whether a meter's reading is in its table."""
    query = "SELECT count(*) FROM reading_electricity WHERE device_id = %s AND ts = to_timestamp(%s::float8 / 1000)"
    return bool(deployment.value(query, device_id, ts) == 1)


def first_alarm(deployment: Deployment, said: Callable[[], object]) -> str:
    """The first record of the log of alarms, as text; until it comes a device goes on with what it has `said`."""
    consumer = Consumer(
        {"bootstrap.servers": f"127.0.0.1:{deployment.ports['9092']}", "group.id": "t", "auto.offset.reset": "earliest"}
    )
    found: list[str] = []

    def heard() -> bool:
        said()
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            found.append((message.value() or b"").decode())
        return bool(found)

    with contextlib.closing(consumer):
        consumer.subscribe(["fenhe.alarms"])
        wait_until(heard, what="a record of the guard", timeout=PATIENCE_S)
    return found[0]


@contextlib.contextmanager
def stopped(deployment: Deployment) -> Iterator[None]:
    """Worker and database are down meanwhile; the broker, the collector and Kafka go on."""
    deployment.processes["worker"].terminate()
    deployment.postgres.stop()
    yield
    deployment.postgres.start()
    deployment.processes["worker"].start()
