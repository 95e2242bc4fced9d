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
    """Print all scenarios, with their length and size; `fenhe demo --scenario NAME` shows one."""
    from simulators.scenes.scenario import load, names

    indent = " " * (max(len(name) for name in names()) + 2)
    for name in names():
        scenario = load(name)
        days = ((scenario.history or 0) + scenario.lasts) / 86_400_000
        plants = sum(scenario.plants.values())
        typer.echo(f"{name:<{len(indent)}}{scenario.title}")
        typer.echo(f"{indent}{scenario.title_zh} · {days:.3g} d · {plants} plants · {scenario.fleet.sets} sets")


@app.command("labels")
def scenarios_labels(
    name: Annotated[str, typer.Argument(callback=known)],
    seed: Annotated[int, typer.Option(help="Same seed, same world.")] = 1,
) -> None:
    """Print everything that happens in a scenario, as a truth file would hold it."""
    from fenhe.listing import Listing, local_moment
    from fenhe.simulation import now_ts
    from simulators.scenes.scenario import load

    scenario = load(name)
    start = scenario.start_ts(now_ts())
    table = Listing("begins", "lasts", "kind", "site", "device", "size", "unit")
    for label in scenario.scene(seed=seed, start_ts=start).labels(scenario.end_ts(start)):
        begins = local_moment(label.start_ts)
        lasts = "–" if label.end_ts is None else f"{(label.end_ts - label.start_ts) / 3_600_000:.2f} h"
        size = f"{label.size:.4g}"
        table.add_row(begins, lasts, label.kind.value, label.site_id, label.device_id, size, label.unit)
    table.print()


@app.command("catalogue")
def scenarios_catalogue(file: Annotated[Path, typer.Argument(dir_okay=False)] = Path("docs/scenarios.md")) -> None:
    """Write the catalogue of scenarios, from the scenarios."""
    from simulators.scenes.catalogue import catalogue

    file.write_text(catalogue(), encoding="utf-8")
    typer.echo(file)
