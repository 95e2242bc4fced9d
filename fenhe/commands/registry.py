"""Commands about the registry: sites, devices and battery sets, in and out as YAML."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import TYPE_CHECKING, Annotated

import typer

from fenhe.clear_errors import PlainError, clear_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.registry import Registry

app = typer.Typer(no_args_is_help=True, help="Sites, devices and battery sets.")


def warnings_of(registry: Registry, before: Registry) -> Iterator[str]:
    """What a file says that is allowed and probably not meant; `before` is what stands in the database."""
    from streams.kernels.plant.boundary import unknown_carriers
    from streams.kernels.plant.lines import unknown_keys
    from streams.kernels.plant.reference import energy_factors, reference

    for device_id, carrier in unknown_carriers(registry.devices, energy_factors()).items():
        yield f"{device_id}: no conversion factor for carrier {carrier!r}: its plant's energy stays unknown"
    yield from unknown_keys(registry.sites, reference())
    home = {device.device_id: device.site_id for device in before.devices}
    for device in registry.devices:
        was = home.get(device.device_id, device.site_id)
        if was != device.site_id:
            yield (
                f"{device.device_id} moves from site {was} to {device.site_id}: its past moves with it, and both sites"
                f" are derived again; a meter that {was} shall keep the past of wants another id at {device.site_id};"
                " change its topic, and restart the workers"
            )
    cities = {site.site_id: site.city for site in before.sites}
    for site in registry.sites:
        if cities.get(site.site_id, site.city) != site.city:
            yield f"site {site.site_id} moves from {cities[site.site_id]} to {site.city}: its past moves with it"


@app.command("import")
def registry_import(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Add or replace sites and devices from a YAML file; nothing is removed."""
    from fenhe.commands.small import owner_connection
    from fenhe.registry_file import read_registry, refuse_nonsense
    from schemas.registered.sense import NonsenseError
    from storage.registry import import_registry, load_registry

    registry = read_registry(file)
    refuse_nonsense(file, registry)
    with clear_errors(), owner_connection() as connection:
        for warning in warnings_of(registry, load_registry(connection)[1]):
            typer.echo(f"warning: {warning}", err=True)
        try:
            import_registry(connection, registry)
        except NonsenseError as error:
            msg = f"{file}: {error}"
            raise PlainError(msg) from None
    sites, devices = len(registry.sites), len(registry.devices)
    typer.echo(f"{sites} site{'s' * (sites != 1)}, {devices} device{'s' * (devices != 1)}")


@app.command("export")
def registry_export(file: Annotated[Path | None, typer.Argument(dir_okay=False)] = None) -> None:
    """Write the whole registry as YAML, to a file or standard output."""
    from fenhe.commands.small import owner_connection
    from storage.registry import load_registry

    with clear_errors(), owner_connection() as connection:
        _, registry = load_registry(connection)
    text = registry.as_yaml()
    if file is None:
        sys.stdout.write(text)
    else:
        file.write_text(text, encoding="utf-8")
