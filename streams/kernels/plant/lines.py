"""Product lines: which meters of a site stand for one, and whether reference data knows what they are held to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.registered.sense import Nonsense

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.reference import Reference
    from schemas.registry import Device, ProductLine, Registry, Site


def meters_of(line: ProductLine, devices: Sequence[Device]) -> list[Device]:
    """Devices of a site whose roles add up to a line."""
    chosen = set(line.meters)
    return [device for device in devices if not chosen or device.device_id in chosen]


UNITS = {"kgce/t": "t", "kWh/t": "t", "gce/kWh": "MWh"}
"""What a plant's product is counted in where its limit is in this unit."""
SHARE_FROM_PCT = 10.0
"""A property of which corrections begin above this is no share of one: 0.78 of clinker is 78 %."""


def wrong_lines(registry: Registry, reference: Reference) -> list[Nonsense]:
    """Product lines that are held to what cannot be theirs."""
    return [
        Nonsense(site.site_id, f"product_lines.{number}.{field}", f"line {line.line_id}: {sentence}")
        for site in registry.sites
        for number, line in enumerate(site.product_lines)
        for field, sentence in _wrong_with(line, site, reference)
    ]


def _wrong_with(line: ProductLine, site: Site, reference: Reference) -> Iterator[tuple[str, str]]:
    """A line that names its meters has a product of its own: a power station within a works counts in MWh."""
    limit, quota = reference.limits.get(line.product), reference.quotas.get(line.water_quota)
    if limit is None and line.product in reference.quotas:
        yield "product", f"{line.product} is a water quota: write it as water_quota"
    if quota is None and line.water_quota in reference.limits:
        yield "water_quota", f"{line.water_quota} is an energy limit: write it as product"
    unit = None if limit is None else UNITS.get(limit.unit)
    product_unit = site.product_unit.replace("·", "")
    if limit is not None and unit is not None and unit != product_unit and not line.meters:
        yield (
            "product",
            f"{line.product} is limited in {limit.unit}, and this plant's product is in {site.product_unit}",
        )
    if quota is not None and site.product_unit != "t":
        yield "water_quota", f"{line.water_quota} is in m³ a tonne, and this plant's product is in {site.product_unit}"
    begins = {each.parameter: each.from_pct for each in reference.corrections.values()}
    for name, value in line.parameters.items():
        if name not in begins:
            yield "parameters", f"no limit is corrected by {name}; there are {', '.join(sorted(begins))}"
        elif 0 < value <= 1 and begins[name] > SHARE_FROM_PCT:
            yield "parameters", f"{name} is in per cent: write {100 * value:g}, not {value:g}"


def unknown_keys(sites: Sequence[Site], reference: Reference) -> Iterator[str]:
    """What product lines name that reference data does not have, one warning each."""
    for site in sites:
        for line in site.product_lines:
            where = f"{site.site_id}, line {line.line_id}"
            if line.product and line.product not in reference.limits:
                yield f"{where}: no energy limit for product {line.product!r}: it is held to none"
            if line.water_quota and line.water_quota not in reference.quotas:
                yield f"{where}: no water quota {line.water_quota!r}: it is held to none"
