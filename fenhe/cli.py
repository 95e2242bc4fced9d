"""The command `fenhe`. Every setting is a `FENHE_*` environment variable; options are what changes from run to run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fenhe import logging
from fenhe.clear_errors import ClearGroup
from fenhe.clear_errors import clear_errors as _clear_errors
from fenhe.commands import alarms as alarm_commands
from fenhe.commands import dashboards as dashboard_commands
from fenhe.commands import device as device_commands
from fenhe.commands import enpi as enpi_commands
from fenhe.commands import new_site as new_site_command
from fenhe.commands import notify as notify_commands
from fenhe.commands import passport as passport_command
from fenhe.commands import recompute as recompute_commands
from fenhe.commands import reference as reference_commands
from fenhe.commands import registry as registry_commands
from fenhe.commands import replay as replay_commands
from fenhe.commands import retention as retention_commands
from fenhe.commands import scenarios as scenario_commands
from fenhe.commands import score as score_commands
from fenhe.commands import serve as serve_command
from fenhe.commands import services
from fenhe.commands import user as user_commands
from fenhe.commands import weather as weather_command

app = typer.Typer(
    cls=ClearGroup, no_args_is_help=True, add_completion=False, help="fenhe 汾河: numbers an operator can trust."
)
schema_app = typer.Typer(no_args_is_help=True, help="JSON Schema of everything on the wire.")
quarantine_app = typer.Typer(no_args_is_help=True, help="Messages and readings that could not be used.")
app.add_typer(dashboard_commands.app, name="dashboards")
app.add_typer(schema_app, name="schema")
app.add_typer(registry_commands.app, name="registry")
app.add_typer(device_commands.app, name="device")
app.command("serve")(serve_command.serve)
app.command("new-site")(new_site_command.new_site)
app.command("sectors")(new_site_command.print_sectors)
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(alarm_commands.app, name="alarms")
app.add_typer(notify_commands.app, name="notify")
app.add_typer(user_commands.app, name="user")
app.command("guard")(services.guard)
app.add_typer(reference_commands.app, name="reference")
app.add_typer(enpi_commands.app, name="enpi")
app.command("recompute")(recompute_commands.recompute)
app.add_typer(scenario_commands.app, name="scenarios")
app.add_typer(retention_commands.retention, name="retention")
app.command("replay")(replay_commands.replay)
app.command("score")(score_commands.score)
app.command("passport")(passport_command.passport)
app.command("weather")(weather_command.weather)
app.command("collect")(services.collect)
app.command("work")(services.work)


@app.command()
def migrate() -> None:
    """Bring the database up to date; safe to run again and from several processes at once."""
    from schemas.settings import MigrateSettings
    from storage.migrate import MigrationError
    from storage.migrate import migrate as run

    with _clear_errors():
        settings = MigrateSettings()
    try:
        applied = run(str(settings.db_owner_url), settings.passwords())
    except MigrationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    for step in applied:
        typer.echo(f"applied {step}")
    shipped, is_new = reference_commands.load(str(settings.db_owner_url))
    if is_new:
        typer.echo(f"reference data {shipped.version} loaded")
    typer.echo("database is up to date")


@app.command()
def balance(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Tell whether the books close: received = stored + duplicate + quarantined. Exit code 1 if they do not."""
    from fenhe.books import print_balance, read_balance

    with _clear_errors():
        found = read_balance()
    print_balance(found, as_json=as_json)
    raise typer.Exit(0 if found.closed else 1)


@app.command()
def preview(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8090,
    *,
    browser: Annotated[bool, typer.Option(help="Open the page.")] = False,
    certificate: Annotated[
        Path | None, typer.Option(help="TLS certificate with its intermediates, where no proxy has one.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="The certificate's key.")] = None,
) -> None:
    """Show the dashboards in a page, reading as the reader role; alarms are dealt with as the operator role.

    Beyond this machine it wants accounts: FENHE_ACCOUNTS_FILE, and `fenhe user add`.
    """
    from fenhe.page import run_page

    logging.configure()
    run_page(host=host, port=port, browser=browser, certificate=certificate, key=key)


@schema_app.command("export")
def schema_export(
    directory: Annotated[Path, typer.Argument(help="Where the files go.")] = Path("schema"),
) -> None:
    """Write JSON Schema of every reading, of the Kafka record and of the registry."""
    import json

    from schemas.export import json_schemas

    directory.mkdir(parents=True, exist_ok=True)
    for name, schema in json_schemas().items():
        path = directory / name
        path.write_text(json.dumps(schema, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        typer.echo(path)


@quarantine_app.command("count")
def quarantine_count() -> None:
    """Count what waits, by reason and device."""
    from fenhe.commands.small import owner_connection
    from fenhe.listing import Listing
    from storage.books.quarantine import counts

    table = Listing("reason", "device", "waiting", "replayed")
    with _clear_errors(), owner_connection() as connection:
        for row in counts(connection):
            table.add_row(row.reason, row.device_id or "–", str(row.waiting), str(row.replayed))
    table.print()


@quarantine_app.command("list")
def quarantine_list(
    reason: Annotated[str | None, typer.Option(help="Only this reason.")] = None,
    device: Annotated[str | None, typer.Option(help="Only this device.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 50,
) -> None:
    """List what waits, oldest first."""
    from fenhe.commands.small import owner_connection
    from fenhe.listing import Listing, local_moment
    from storage.books.quarantine import waiting

    table = Listing("id", "received", "reason", "detail", "topic", "bytes", "payload")
    with _clear_errors(), owner_connection() as connection:
        for item in waiting(connection, reason=reason, device_id=device, limit=limit):
            head = item.payload[:60].decode(errors="backslashreplace")
            table.add_row(
                str(item.id), local_moment(item.received_ts), item.reason, item.detail, item.topic, str(item.size), head
            )
    table.print()


@quarantine_app.command("replay")
def quarantine_replay(
    reason: Annotated[str | None, typer.Option(help="Only this reason.")] = None,
    device: Annotated[str | None, typer.Option(help="Only this device.")] = None,
) -> None:
    """Send what waits through the pipeline again, once its cause is mended.

    What was ahead of its arrival stays: it does not become true by waiting. What was behind is sent only with
    --reason clock_behind, once the device's first_day is registered.
    """
    from fenhe.commands.small import replay_quarantine

    with _clear_errors():
        replayed, skipped = replay_quarantine(reason=reason, device_id=device)
    typer.echo(
        f"{replayed} sent again, {skipped} left "
        "(their clock was wrong, only their head was kept, or their topic is not a device's)"
    )


@app.command()
def simulate(
    *,
    scenario: Annotated[
        str | None,
        typer.Option(callback=scenario_commands.known, help="What happens: see `fenhe scenarios list`; none: nothing."),
    ] = None,
    sets: Annotated[int | None, typer.Option(min=0, max=7000, help="Battery sets, in place of the scenario's.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same world.")] = 1,
    history: Annotated[
        float, typer.Option(min=0, help="Hours of history before live readings, without a scenario.")
    ] = 0.0,
    speed: Annotated[float, typer.Option(help="Times real time, until now is caught up with; 1: no limit.")] = 1.0,
    duration: Annotated[float | None, typer.Option(min=0, help="Seconds to run live; none: until Ctrl-C.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Write the truth of the run: an SQLite file.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write what was published, per device, as JSON.")] = None,
    registry: Annotated[Path | None, typer.Option(help="Write the world's registry as YAML and stop.")] = None,
    plants: Annotated[bool, typer.Option(help="Simulate a plant of each sector, without a scenario.")] = True,
) -> None:
    """Publish a simulated fleet and plants over MQTT, exactly as devices would."""
    from fenhe.simulation import SimulateOptions, run_simulation, write_registry

    logging.configure()
    options = SimulateOptions(
        scenario=scenario,
        seed=seed,
        sets=sets,
        plants=plants,
        history_h=history,
        speed=speed,
        duration_s=duration,
        report=report,
        truth=truth,
    )
    with _clear_errors():
        if registry is not None:
            write_registry(registry, options)
        else:
            run_simulation(options)


@app.command()
def demo(
    *,
    scenario: Annotated[
        str, typer.Option(callback=scenario_commands.known, help="What happens: see `fenhe scenarios list`.")
    ] = "demo",
    sets: Annotated[int | None, typer.Option(min=1, max=7000, help="Battery sets, in place of the scenario's.")] = None,
    history: Annotated[float | None, typer.Option(min=0, help="Hours of history to feed first.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same world.")] = 1,
    duration: Annotated[float | None, typer.Option(min=0, help="Seconds of live running; none: until Ctrl-C.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write a JSON report.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page.")] = 8090,
    directory: Annotated[Path | None, typer.Option(help="Where data is kept between runs.")] = None,
    services: Annotated[Literal["auto", "real", "embedded"], typer.Option(help="What it runs on.")] = "auto",
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what an earlier demo stored.")] = False,
    browser: Annotated[bool, typer.Option(help="Open the page.")] = True,
) -> None:
    """Bring everything up on this machine with simulated plants and batteries, and show it live."""
    from fenhe.demo.run import DemoOptions, run_demo

    options = DemoOptions(
        scenario=scenario,
        sets=sets,
        history_h=history,
        seed=seed,
        duration_s=duration,
        report=report,
        port=port,
        directory=directory,
        services=services,
        fresh=fresh,
        browser=browser,
    )
    raise typer.Exit(run_demo(options))
