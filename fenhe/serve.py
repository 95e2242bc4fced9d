"""`fenhe serve`: the whole of fenhe on this machine for a plant of one's own; kept between runs, nothing simulated."""

from __future__ import annotations

import sys
import webbrowser
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from rich.console import Console

from fenhe.local import MockKafka
from fenhe.pipeline import (
    Interrupts,
    check_port,
    local_stack,
    open_directory,
    page_address,
    pipeline,
    prepare_database,
    write_environment,
)
from fenhe.simulation import now_ts
from storage.pool import connect
from storage.registry import load_registry

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from fenhe.local import Stack

PARTITIONS = 6
NEWS_S = 1.0
"""How often the terminal is told of what came in."""

console = Console(stderr=True)


@dataclass(frozen=True)
class ServeOptions:
    """What the command line said."""

    directory: Path | None
    port: int
    mqtt_port: int
    database_port: int
    services: str
    browser: bool


def run_serve(options: ServeOptions) -> int:
    """Run everything until Ctrl-C. Raises PlainError where it cannot start."""
    check_port(options.port)
    check_port(options.mqtt_port, "--mqtt-port")
    check_port(options.database_port, "--database-port")
    directory = open_directory(options.directory, "plant")
    stop = Interrupts.heeded().stop
    console.print("[bold]fenhe 汾河[/] starting broker, Kafka and PostgreSQL …")
    with local_stack(
        directory,
        options.services,
        PARTITIONS,
        mqtt_port=options.mqtt_port,
        database_port=options.database_port,
    ) as stack:
        console.print(f"  {stack.describe()}", soft_wrap=True)
        if isinstance(stack.kafka, MockKafka):
            lost = "what is not yet stored is lost when it ends"
            console.print(f"  Kafka is librdkafka's mock cluster: {lost}", soft_wrap=True)
        environment = stack.environment()
        prepare_database(stack)
        file = write_environment(stack)
        with pipeline(stack, options.port, lambda text: console.print(f"  {text}"), stop):
            if not stop.is_set():
                _say_where(stack, options.port, file)
                if options.browser and sys.stdout.isatty():
                    webbrowser.open(page_address(options.port))
            _follow(environment["FENHE_DB_READER_URL"], stop)
        console.print("stopped; everything is kept for the next `fenhe serve`")
    return 0


def _say_where(stack: Stack, port: int, environment: Path) -> None:
    """Print what is needed to use it; nothing here is ever cut."""
    rows = [
        ("page", page_address(port)),
        ("devices send to", f"{stack.mqtt.host}, port {stack.mqtt.port} (MQTT, QoS 1)"),
        ("topic", "fenhe/v1/SITE/KIND/DEVICE"),
        ("user, password", "none: it listens on this machine only"),
        ("database", stack.postgres.url("fenhe_reader")),
        ("other commands", f". {environment}"),
    ]
    with connect(stack.postgres.url("fenhe_reader"), name="serve") as connection:
        _, registry = load_registry(connection)
    for name, value in rows:
        console.print(f"  {name:<16} {value}", soft_wrap=True, highlight=False)
    if registry.devices:
        console.print(f"  {len(registry.sites)} sites and {len(registry.devices)} devices are registered")
    else:
        console.print("  nothing is registered yet: fenhe new-site (docs/your-first-plant.md)")
    console.print("  Ctrl-C stops everything and keeps it")


def _follow(reader_url: str, stop: threading.Event) -> None:
    """Say what came in, whenever something did: the first reading of each device, and what is refused."""
    heard: set[str] = set()
    since = now_ts()
    while not stop.wait(NEWS_S):
        try:
            with connect(reader_url, name="serve") as connection:
                new = connection.execute(
                    "SELECT device_id, sum(stored)::bigint, sum(quarantined)::bigint FROM ledger"
                    " WHERE hour >= to_timestamp(%s / 1000.0) - interval '1 hour' GROUP BY device_id",
                    [since],
                ).fetchall()
        except psycopg.Error:
            continue  # the database is away for a moment
        for device_id, stored, refused in new:
            for what, count in (("first reading stored", stored), ("refused: see `fenhe quarantine list`", refused)):
                key = f"{device_id} {what}"
                if count and key not in heard:
                    heard.add(key)
                    console.print(f"  {device_id or 'unknown device'}: {what}")
