"""What an account may see: every query of a page, held to the account's sites before it reaches the database.

The page's SQL is ours and names tables plainly, so each table it names is put before it as a `WITH` of the same name
that has only the account's rows. A table that has neither site, device, alarm nor city is empty to such an account
unless it stands in `OPEN`: what a new migration brings is closed until somebody says otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dashboards.preview.macros import Query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from dashboards.preview.access.accounts import SignedIn
    from dashboards.preview.reader import Reader, Rows
    from storage.alarm_tables.operator import VisibleSites

OPEN = frozenset(
    {
        *("reference_current", "reference_energy_factor", "reference_energy_limit", "reference_correction"),
        *("reference_water_quota", "reference_target", "reference_setting", "reference_version"),
        *("registry_version", "schema_migration", "alarm_rule", "alarm_safety_kind"),
        # Whether the figures can be trusted at all, and how old they are; nothing in them is of one site.
        *("partition_progress", "checkpoint", "stuck_partition", "ledger_total", "log_loss"),
    }
)
"""Tables that every account sees whole."""

_SITES = "SELECT site_id FROM public.site WHERE site_id = ANY(%(own_sites)s) OR city = ANY(%(own_cities)s)"
_CITIES = "ANY(%(own_cities)s)"
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_COLUMNS = """
SELECT c.relname, array_agg(a.attname::text)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND c.relname = ANY(%(names)s)
GROUP BY c.relname
"""


class ConfinedReader:
    """A reader for one signed-in browser. It asks at every query whether that is still so."""

    def __init__(self, reader: Reader, session: SignedIn) -> None:
        self._reader = reader
        self._session = session

    async def fetch(self, query: Query) -> Rows:
        """Run a query within the account's bounds. Raises SignedOutError, and what a reader raises."""
        bounds = self._session.account().bounds
        if bounds is None:
            return await self._reader.fetch(query)
        named = await self._reader.fetch(Query(_COLUMNS, {"names": sorted(set(_NAME.findall(query.sql)))}))
        columns = {str(name): frozenset(_texts(found)) for name, found in named.rows}
        return await self._reader.fetch(confine(query, columns, bounds))


def confine(query: Query, columns: Mapping[str, AbstractSet[str]], bounds: VisibleSites) -> Query:
    """Hold a query to some sites; `columns` are those of each table whose name stands in it."""
    shadows = [
        f"{name} AS NOT MATERIALIZED (SELECT * FROM public.{name} WHERE {_condition(has)})"  # noqa: S608 - names of our own tables
        for name, has in sorted(columns.items())
        if name not in OPEN
    ]
    if not shadows:
        return query
    confined = f"WITH {', '.join(shadows)} SELECT * FROM ({query.sql}) AS seen"  # noqa: S608 - a query of ours
    return Query(confined, query.parameters | {"own_sites": bounds.sites, "own_cities": bounds.cities})


def _condition(has: AbstractSet[str]) -> str:
    """Which rows of a table are the account's."""
    if "site_id" in has:
        of_city = f" OR region = {_CITIES}" if "region" in has else ""  # an alarm of a whole city is of no site
        return f"site_id IN ({_SITES}){of_city}"
    if "device_id" in has:
        return f"device_id IN (SELECT device_id FROM public.device WHERE site_id IN ({_SITES}))"  # noqa: S608 - as above
    if "alarm_id" in has:
        return f"alarm_id IN (SELECT alarm_id FROM public.alarm WHERE site_id IN ({_SITES}) OR region = {_CITIES})"  # noqa: S608 - as above
    city = next((name for name in ("city", "region") if name in has), None)
    return f"{city} = {_CITIES}" if city else "false"


def _texts(found: object) -> Sequence[str]:
    return [str(each) for each in found] if isinstance(found, list) else []
