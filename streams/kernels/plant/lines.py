"""Product lines: which meters of a site stand for one, and whether reference data knows what they are held to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.reference import Reference
    from schemas.registry import Device, ProductLine, Site


def meters_of(line: ProductLine, devices: Sequence[Device]) -> list[Device]:
    """Devices of a site whose roles add up to a line."""
    chosen = set(line.meters)
    return [device for device in devices if not chosen or device.device_id in chosen]


def unknown_keys(sites: Sequence[Site], reference: Reference) -> Iterator[str]:
    """What product lines name that reference data does not have, one warning each."""
    for site in sites:
        for line in site.product_lines:
            where = f"{site.site_id}, line {line.line_id}"
            if line.product and line.product not in reference.limits:
                yield f"{where}: no energy limit for product {line.product!r}: it is held to none"
            if line.water_quota and line.water_quota not in reference.quotas:
                yield f"{where}: no water quota {line.water_quota!r}: it is held to none"
