"""`fenhe notify`: run the notifier, or try its channels."""

from __future__ import annotations

import signal
from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import Annotated

import typer
import yaml
from pydantic import ValidationError

from fenhe import logging
from fenhe.clear_errors import clear_errors
from schemas.notifications import Routing
from schemas.settings import NotifyFileSettings, NotifySettings
from schemas.yaml_text import read_yaml

app = typer.Typer(no_args_is_help=True, help="Tell people of alarms.")


def _routing(path: Path) -> Routing:
    try:
        return Routing.model_validate(read_yaml(path.read_text(encoding="utf-8")))
    except (OSError, ValidationError, yaml.YAMLError) as error:
        typer.echo(f"{path}: {error}", err=True)
        raise typer.Exit(2) from None


@app.command()
def run(
    ready_file: Annotated[Path | None, typer.Option(help="File that exists while the process is ready.")] = None,
) -> None:
    """Run the notifier until SIGTERM."""
    from fenhe import metrics
    from fenhe.ready import ReadyFile
    from notify.sending import send
    from notify.service import Notifier
    from storage.pool import open_pool

    logging.configure()
    with clear_errors():
        settings = NotifySettings()
    ready = ReadyFile(ready_file)
    pool = open_pool(str(settings.db_notifier_url), size=2, name="notifier")
    notifier = Notifier(pool, _routing(settings.notify_file), send)
    metrics.serve(settings.metrics_port, "fenhe_notifier", notifier.figures)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: notifier.stopping.set())
    ready.set()
    notifier.run()
    ready.clear()
    pool.close()


@app.command("test")
def try_channels(
    channel: Annotated[str | None, typer.Option(help="Only this channel.")] = None,
) -> None:
    """Send a test message to every channel, and say which took it."""
    from notify.sending import send
    from schemas.words import Language

    with clear_errors():
        settings = NotifyFileSettings()
    routing = _routing(settings.notify_file)
    chosen = [item for item in routing.channels if channel in {None, item.name}]
    if not chosen:
        typer.echo(f"no channel {channel}", err=True)
        raise typer.Exit(2)
    failed = False
    for item in chosen:
        chinese = item.language is Language.ZH
        body = "测试消息：通知渠道正常。" if chinese else "A test message: this channel works."
        error = send(item, "汾河 fenhe", body)
        failed = failed or error is not None
        typer.echo(error or f"{item.name}: taken")
    raise typer.Exit(1 if failed else 0)
