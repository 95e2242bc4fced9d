"""Commands about scenarios: what simulated worlds there are, and what is going to happen in them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Simulated worlds, and what happens in them.")


def known(name: str | None) -> str | None:
    """Let a scenario's name through, or say which there are."""
    from simulators.scenes.scenario import names

    if name is not None and name not in names():
        msg = f"there is no scenario {name!r}, but {', '.join(names())}"
        raise typer.BadParameter(msg)
    return name


@app.command("list")
def scenarios_list() -> None:
    """Print all scenarios, with their length and size."""
    from rich.console import Console
    from rich.table import Table

    from simulators.scenes.scenario import load, names

    table = Table("name", "title", "名称", "days", "plants", "sets")
    for name in names():
        scenario = load(name)
        days = ((scenario.history or 0) + scenario.lasts) / 86_400_000
        sets = scenario.fleet.sets
        table.add_row(
            name, scenario.title, scenario.title_zh, f"{days:g}", f"{sum(scenario.plants.values())}", f"{sets}"
        )
    Console().print(table)


@app.command("labels")
def scenarios_labels(
    name: Annotated[str, typer.Argument(callback=known)],
    seed: Annotated[int, typer.Option(help="Same seed, same world.")] = 1,
) -> None:
    """Print everything that happens in a scenario, as a truth file would hold it."""
    import datetime as dt

    from rich.console import Console
    from rich.table import Table

    from fenhe.simulation import now_ms
    from simulators.scenes.scenario import load

    scenario = load(name)
    start = scenario.start_ms(now_ms())
    table = Table("begins", "lasts", "kind", "site", "device", "size", "unit")
    for label in scenario.scene(seed=seed, start_ms=start).labels(scenario.end_ms(start)):
        begins = dt.datetime.fromtimestamp(label.start_ms / 1000, tz=dt.UTC).isoformat(timespec="seconds")
        lasts = "–" if label.end_ms is None else f"{(label.end_ms - label.start_ms) / 3_600_000:.2f} h"
        size = f"{label.size:.4g}"
        table.add_row(begins, lasts, label.kind.value, label.site_id, label.device_id, size, label.unit)
    Console().print(table)


@app.command("catalogue")
def scenarios_catalogue(file: Annotated[Path, typer.Argument(dir_okay=False)] = Path("docs/scenarios.md")) -> None:
    """Write the catalogue of scenarios, from the scenarios."""
    from simulators.scenes.catalogue import catalogue

    file.write_text(catalogue(), encoding="utf-8")
    typer.echo(file)
