"""`make race`: the same load on fenhe and on a plain path, and what each costs.

    make race ARGS="--rate 2000 --array 1 --seconds 30"

The plain path is what a careful programmer writes in an afternoon: Mosquitto, one paho consumer that reads the JSON,
and a COPY into one table every so often. It judges, derives and books nothing, and loses what it has acknowledged and
not yet stored when it dies; so the ratio says what all of that costs, not how much better the other is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from rich.table import Table

from bench.__main__ import PARTITIONS, Bench, console, cpu_of_tree
from fenhe.local import Process, Stack, scratch_directory
from storage.pool import connect

if TYPE_CHECKING:
    from psycopg import Connection

EVERY_S = 0.2
MOST_ROWS = 1_000
DRAIN_S = 60.0
TABLE = """CREATE TABLE plain_reading (
    device_id text NOT NULL, ts timestamptz NOT NULL, fields jsonb NOT NULL, PRIMARY KEY (device_id, ts))"""


def consume(mqtt_url: str, database_url: str, ready: Path) -> None:
    """Be the plain path's consumer, until killed; make a file when it is subscribed."""
    rows: list[tuple[str, str, str]] = []

    def on_message(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        device_id = message.topic.rpartition("/")[2]
        found = orjson.loads(message.payload)
        each = found if isinstance(found, list) else [found]
        rows.extend((device_id, _written(one.pop("ts")), orjson.dumps(one).decode()) for one in each)

    client = mqtt.Client(CallbackAPIVersion.VERSION2, "plain", protocol=mqtt.MQTTv5)
    client.on_message = on_message
    client.on_subscribe = lambda *_: ready.touch()
    host, _, port = mqtt_url.rpartition("/")[2].partition(":")
    client.connect(host, int(port))
    client.subscribe("fenhe/#", qos=1)
    with connect(database_url, name="plain") as connection:
        stored = time.monotonic()
        while True:
            client.loop(0.01)
            if rows and (len(rows) >= MOST_ROWS or time.monotonic() - stored > EVERY_S):
                _store(connection, rows)
                rows.clear()
                stored = time.monotonic()


def _written(at_ts: int) -> str:
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(at_ts // 1000))}.{at_ts % 1000:03d}+00"


def _store(connection: Connection, rows: list[tuple[str, str, str]]) -> None:
    with connection.transaction(), connection.cursor().copy("COPY plain_reading FROM STDIN") as into:
        for row in rows:
            into.write_row(row)


def plain(stack: Stack, options: argparse.Namespace) -> dict[str, float]:
    """CPU of each stage of the plain path, µs a reading."""
    url = stack.environment()["FENHE_DB_OWNER_URL"]
    with connect(url, name="race") as connection:
        connection.execute(TABLE)
    ready = stack.directory / "plain.ready"
    command = [sys.executable, "-m", "bench.race", "--consume", stack.mqtt.url, url, str(ready)]
    consumer = Process("plain", command, log=stack.directory / "plain.log", environment=stack.environment())
    consumer.start()
    try:
        consumer.wait_until(ready.exists, what="consumer", timeout=60)
        pids = {
            "mosquitto": stack.mqtt.process.pid,
            "consumer": consumer.pid,
            "postgresql": stack.postgres.process.pid,
        }
        before = {name: cpu_of_tree(pid) for name, pid in pids.items()}
        report_path = stack.directory / "plain.json"
        load = ["--rate", options.rate, "--seconds", options.seconds, "--array", options.array, "--report", report_path]
        load += ["--sets", options.sets, "--plants", options.plants, "--url", stack.mqtt.url]
        subprocess.run(  # noqa: S603 - our own publisher
            [sys.executable, "-m", "simulators.wire.load", *map(str, load)], stdout=subprocess.DEVNULL, check=True
        )
        sent = json.loads(report_path.read_text())["acknowledged"]
        stored, until = 0, time.monotonic() + DRAIN_S
        while stored < sent and time.monotonic() < until:
            time.sleep(0.2)
            with connect(url, name="race") as connection:
                row = connection.execute("SELECT count(*) FROM plain_reading").fetchone()
                stored = int(row[0]) if row else 0
        used = {name: cpu_of_tree(pid) - before[name] for name, pid in pids.items()}
    finally:
        consumer.terminate()
    if stored != sent:
        console.print(f"[red]plain path: {sent} acknowledged, {stored} stored[/]")
    return {name: seconds * 1e6 / sent for name, seconds in used.items()}


def main() -> int:
    """Run both, one after the other, and print what a reading costs."""
    parser = argparse.ArgumentParser(prog="make race ARGS=…", description=__doc__)
    parser.add_argument("--rate", type=float, default=2_000.0)
    parser.add_argument("--array", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--sets", type=int, default=7_000)
    parser.add_argument("--plants", type=int, default=200)
    parser.add_argument(
        "--consume", nargs=3, metavar=("MQTT", "DATABASE", "READY"), help="be the plain path's consumer"
    )
    options = parser.parse_args()
    if options.consume:
        mqtt_url, database_url, ready = options.consume
        consume(mqtt_url, database_url, Path(ready))
    with scratch_directory("race") as directory, Stack(directory, services="real", partitions=PARTITIONS) as stack:
        costs: dict[str, dict[str, Any]] = {"plain": plain(stack, options)}
        with Bench(stack, options.sets, options.plants, workers=2) as bench:
            bench.introduce()
            run = bench.run(options.rate, options.array, options.seconds)
        costs["fenhe"] = {name: us for name, us in run.cpu_us_per_reading.items() if name != "simulator"}
    stages = ["mosquitto", "consumer", "collector", "kafka", "worker", "postgresql"]
    table = Table("CPU, µs a reading", *stages, "all")
    totals = {name: sum(each.values()) for name, each in costs.items()}
    for name, each in costs.items():
        table.add_row(name, *(f"{each[stage]:.1f}" if stage in each else "" for stage in stages), f"{totals[name]:.1f}")
    console.print(table)
    console.print(f"fenhe costs {totals['fenhe'] / totals['plain']:.2f} times the plain path; lost {run.lost}")
    return int(run.lost != 0)


if __name__ == "__main__":
    sys.exit(main())
