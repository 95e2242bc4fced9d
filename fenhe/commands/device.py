"""Commands about one device."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="One device: what it sends, and what becomes of it.")


@app.callback()
def _one_device() -> None:
    """Keep `test` a command of its own, although it is the only one."""


@app.command("test")
def device_test(
    device: Annotated[str | None, typer.Argument(help="Device; none: all.")] = None,
    *,
    site: Annotated[str | None, typer.Option(help="Only of this site.")] = None,
    messages: Annotated[int | None, typer.Option(min=1, help="Stop after so many; none: at Ctrl-C.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Stop after so long; none: at Ctrl-C.")] = None,
) -> None:
    """Listen to the broker and say live what arrives, what it becomes, and what is refused and why."""
    import queue
    import time

    from fenhe.clear_errors import clear_errors
    from fenhe.device_test import Bench, listen, subscription
    from schemas.settings import MqttSettings, ReaderSettings
    from storage.pool import connect
    from storage.registry import load_registry
    from streams.intake.admission import Directory

    with clear_errors():
        settings, reader = MqttSettings(), ReaderSettings()
    with connect(str(reader.db_reader_url), name="device-test") as connection:
        bench = Bench(Directory(*load_registry(connection)))
    came: queue.Queue[tuple[str, bytes]] = queue.Queue()
    topic = subscription(site, device)
    client = listen(settings, [topic], lambda name, payload: came.put((name, payload)))
    typer.echo(f"listening to {topic} at {settings.mqtt_url}; Ctrl-C ends it")
    ends = None if seconds is None else time.monotonic() + seconds
    received = 0
    try:
        while (messages is None or received < messages) and (ends is None or time.monotonic() < ends):
            try:
                name, payload = came.get(timeout=0.2)
            except queue.Empty:
                continue
            for line in bench.tell(name, payload, time.time_ns() // 1_000_000):
                typer.echo(line)
            received += 1
    except KeyboardInterrupt:
        pass
    finally:
        client.loop_stop()
    if not received:
        typer.echo(f"nothing came to {topic}: does the device send to this broker, and to a topic like this one?")
        raise typer.Exit(1)
