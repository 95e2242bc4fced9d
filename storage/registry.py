"""The registry in the database: imported whole or in parts, read by workers, never half-changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from psycopg.types.json import Jsonb
from pydantic import ValidationError

from schemas.registered.bus import buses_of
from schemas.registered.sense import Nonsense, NonsenseError, check
from schemas.registry import Device, Registry, Site
from storage import recompute
from storage.alarm_tables import moved
from storage.pool import limit_idling
from storage.statements import each

if TYPE_CHECKING:
    from psycopg import Connection


def import_registry(connection: Connection, registry: Registry) -> None:
    """Add or replace sites and devices in one transaction, and move the registry's version.

    Nothing is removed: a device that is gone keeps its readings. Sites whose figures the change touches are marked
    for recompute. Raises NonsenseError where an entry says what cannot be meant, also together with what stood there.
    """
    check(registry)
    with connection.transaction(), connection.cursor() as cursor:
        limit_idling(connection)
        _, before = load_registry(connection)
        touched = _touched(before, registry)
        each(
            connection,
            "INSERT INTO site (site_id, name, name_zh, sector, city, product_unit, product_lines,"
            " virtual_meters, detection, coal_yuan_t)"
            " VALUES (%(site_id)s, %(name)s, %(name_zh)s, %(sector)s, %(city)s, %(product_unit)s, %(product_lines)s,"
            " %(virtual_meters)s, %(detection)s, %(coal_yuan_t)s)"
            " ON CONFLICT (site_id) DO UPDATE SET name = excluded.name, name_zh = excluded.name_zh,"
            " sector = excluded.sector, city = excluded.city, product_unit = excluded.product_unit,"
            " product_lines = excluded.product_lines, virtual_meters = excluded.virtual_meters,"
            " detection = excluded.detection, coal_yuan_t = excluded.coal_yuan_t",
            [
                site.model_dump(mode="json")
                | {
                    "product_lines": Jsonb([line.model_dump(mode="json") for line in site.product_lines]),
                    "virtual_meters": Jsonb([meter.model_dump(mode="json") for meter in site.virtual_meters]),
                    "detection": Jsonb(site.detection),
                }
                for site in registry.sites
            ],
        )
        each(
            connection,
            "INSERT INTO device (device_id, site_id, kind, name, name_zh, period_s, role, detail)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (device_id) DO UPDATE SET site_id = excluded.site_id, kind = excluded.kind,"
            " name = excluded.name, name_zh = excluded.name_zh, period_s = excluded.period_s,"
            " role = excluded.role, detail = excluded.detail",
            [
                (
                    device.device_id,
                    device.site_id,
                    device.kind.value,
                    device.name,
                    device.name_zh,
                    device.period_s,
                    device.role.value,
                    Jsonb(device.model_dump(mode="json")),
                )
                for device in registry.devices
            ],
        )
        cursor.execute("UPDATE registry_version SET version = version + 1")
        _check_whole(connection)
        recompute.ask(connection, touched, reason="registry")
        moved.follow(connection)  # a recompute's step, too, holds its request before it takes alarms


def _check_whole(connection: Connection) -> None:
    """Read the registry as it now stands: two files, each right by itself, may use one id for two things."""
    try:
        load_registry(connection)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise NonsenseError([Nonsense("registry", "with what was imported before", first)]) from None


def _touched(before: Registry, registry: Registry) -> set[str]:
    """Sites known before whose figures come out otherwise by the new registry; another name changes none."""
    sites = {site.site_id: _figures(site) for site in before.sites}
    devices = {device.device_id: _figures(device) for device in before.devices}
    touched = {site.site_id for site in registry.sites if _differs(sites.get(site.site_id), site)}
    for device in registry.devices:
        was = devices.get(device.device_id)
        if was is not None and _differs(was, device):
            touched |= {was.site_id, device.site_id}  # of a device that moves both: its past goes along
    stood = {device.device_id: device for device in before.devices}
    stands = stood | {device.device_id: device for device in registry.devices}
    buses, now = buses_of(stood.values()), buses_of(stands.values())
    return touched | {site_id for site_id, bus in buses.items() if now.get(site_id, bus) != bus}


_Entry = TypeVar("_Entry", Site, Device)


def _differs(before: _Entry | None, now: _Entry) -> bool:
    return before is not None and before != _figures(now)


def _figures(entry: _Entry) -> _Entry:
    """What of an entry goes into figures: all but its names, its place and what energy costs it."""
    if isinstance(entry, Site):
        lines = [line.model_copy(update={"name": "", "name_zh": ""}) for line in entry.product_lines]
        return entry.model_copy(
            update={"name": "", "name_zh": "", "city": "", "coal_yuan_t": None, "product_lines": lines}
        )
    return entry.model_copy(update={"name": "", "name_zh": ""})


def load_registry(connection: Connection) -> tuple[int, Registry]:
    """Read the whole registry and its version, as one snapshot."""
    version = 0
    sites: list[Site] = []
    devices: list[Device] = []
    for kind, text in connection.execute(
        # Row by row, as text: PostgreSQL takes longer to make one jsonb of 7 000 devices than we to read them all.
        "SELECT 0, version::text FROM registry_version"
        " UNION ALL SELECT 1, to_jsonb(s)::text FROM site s"
        " UNION ALL SELECT 2, detail::text FROM device"
    ):
        match kind:
            case 0:
                version = int(text)
            case 1:
                sites.append(Site.model_validate_json(text))
            case _:
                devices.append(Device.model_validate_json(text))
    return version, Registry(sites=sites, devices=devices)


def registry_version(connection: Connection) -> int:
    """Read the number that moves with every change of the registry."""
    row = connection.execute("SELECT version FROM registry_version").fetchone()
    assert row is not None  # noqa: S101 - a migration put it there
    return int(row[0])
