"""`fenhe new-site`: asks what a plant has, and writes the registry file for it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fenhe.new_site import BatteryWish, MeterWish, SiteWish


def new_site(
    file: Annotated[Path | None, typer.Argument(dir_okay=False, help="Where it goes; none: SITE.yaml.")] = None,
    *,
    site: Annotated[str | None, typer.Option(help="Its id in topics: letters, digits, hyphens.")] = None,
    name: Annotated[str | None, typer.Option(help="Its name.")] = None,
    name_zh: Annotated[str, typer.Option(help="Its Chinese name; none: the name.")] = "",
    sector: Annotated[str | None, typer.Option(help="What it makes: see `fenhe sectors`; `other` always fits.")] = None,
    city: Annotated[str | None, typer.Option(help="City, Chinese: 太原.")] = None,
    unit: Annotated[str, typer.Option(help="Unit of its product; none: the sector's.")] = "",
    meter: Annotated[
        list[str] | None, typer.Option(help="KIND:ROLE:RATED:CARRIER, as water:consumed:60; again for each.")
    ] = None,
    battery: Annotated[list[str] | None, typer.Option(help="AH:CELLS, as 100:16; again for each set.")] = None,
    period: Annotated[float, typer.Option(min=1, help="Usual seconds between two readings.")] = 60.0,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Ask what a plant has, and write the registry file for it; every answer may be given as an option."""
    from fenhe.clear_errors import PlainError
    from fenhe.new_site import SiteWish, make_registry, parse_battery, parse_meter, topics_of

    wish = SiteWish(site_id=site or "", name=name or "", name_zh=name_zh, product_unit=unit, period_s=period)
    wish.sector, wish.city = sector or "", city or ""
    wish.meters = [parse_meter(text) for text in meter or ()]
    wish.batteries = [parse_battery(text) for text in battery or ()]
    if sys.stdin.isatty():
        _ask(wish, has_devices=bool(meter or battery))
    missing = [option for option, value in (("--site", wish.site_id), ("--name", wish.name)) if not value]
    if missing:
        msg = f"say {' and '.join(missing)}: there is no terminal to ask on"
        raise PlainError(msg)
    wish.sector, wish.city = wish.sector or "other", wish.city or "太原"
    registry = make_registry(wish)
    path = file or Path(f"{wish.site_id}.yaml")
    if path.exists() and not force:
        msg = f"{path} is there already: name another file, or add --force"
        raise PlainError(msg)
    try:
        path.write_text(registry.as_yaml(), encoding="utf-8")
    except OSError as error:
        msg = f"cannot write {path} ({error.strerror}): name another file"
        raise PlainError(msg) from None
    typer.echo(f"written: {path}")
    for topic in topics_of(registry):
        typer.echo(f"  {topic}")
    typer.echo(f"next: fenhe registry import {path}")


def _ask(wish: SiteWish, *, has_devices: bool) -> None:
    """Ask for what no option said."""
    from schemas.registered.sectors import sectors

    wish.site_id = wish.site_id or typer.prompt("Id of the site, as in its topics (letters, digits, -)")
    wish.name = wish.name or typer.prompt("Name", default=wish.site_id)
    while wish.sector not in sectors():
        if wish.sector:
            typer.echo(f"  there are: {', '.join(sectors())}")
        wish.sector = typer.prompt("Sector (? lists them)", default="other")
    wish.city = wish.city or typer.prompt("City", default="太原")
    if has_devices:
        return
    while (found := _ask_for_meter()) is not None:
        wish.meters.append(found)
    while (found_set := _ask_for_battery()) is not None:
        wish.batteries.append(found_set)


def _ask_for_meter() -> MeterWish | None:
    from fenhe.clear_errors import PlainError
    from fenhe.new_site import METERS, parse_meter

    kinds = {kind.value: words for kind, words in METERS.items()}
    kind = typer.prompt(f"A meter ({', '.join(kinds)}; empty: no more)", default="", show_default=False)
    if not kind:
        return None
    if kind not in kinds:
        typer.echo(f"  there are: {', '.join(kinds)}")
        return _ask_for_meter()
    role = typer.prompt(
        "  role (consumed, product, internal, exported; empty: as usual)", default="", show_default=False
    )
    rated = typer.prompt(f"  highest it can show, {kinds[kind][3]} (empty: not known)", default="", show_default=False)
    try:
        return parse_meter(f"{kind}:{role}:{rated}")
    except PlainError as error:
        typer.echo(f"  {error}")
        return _ask_for_meter()


def _ask_for_battery() -> BatteryWish | None:
    from fenhe.clear_errors import PlainError
    from fenhe.new_site import parse_battery

    text = typer.prompt("A battery set: Ah, or Ah:cells (empty: no more)", default="", show_default=False)
    if not text:
        return None
    try:
        return parse_battery(text)
    except PlainError as error:
        typer.echo(f"  {error}")
        return _ask_for_battery()


def print_sectors() -> None:
    """Print the sectors that a site may be of."""
    from schemas.registered.sectors import sectors

    for key, words in sectors().items():
        typer.echo(f"{key:<16} {words.name} {words.name_zh} ({words.product_unit})")
