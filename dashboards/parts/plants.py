"""What the pages of plants share: the choice of a plant, and panels on rolling figures."""

from __future__ import annotations

from dashboards.kit import sql
from dashboards.kit.dashboard import Variable
from dashboards.kit.fields import Link
from dashboards.words import labels
from schemas.kinds import METERS, described, rate_unit_name, unit_name
from schemas.readings import Kind, registers_of
from schemas.words import Language, Text

SITE = "${site:sqlstring}"
"""The plant that is looked at."""

TO_ENERGY = Link("plant-energy", Text("看能耗", "Plant energy"), {"site": "site_id"})
TO_METER = Link("meter", Text("看表计", "Meter"), {"site": "site_id", "meter": "device_id"})

WHOLE_PLANT = "line_id = 'plant'"


def sites(where: str) -> Variable:
    """Return the variable `site` over plants that meet a condition on `s`."""

    def query(language: Language) -> str:
        names = (sql.name(each, "s", "site_id") for each in Language)  # an identifier is searched where it is shown
        return f"""
SELECT site_id AS __value, {sql.name(language, "s", "site_id")} AS __text
FROM site s
WHERE {where} AND {sql.searched(*names)}
ORDER BY 2, 1
"""  # noqa: S608 - fragments of ours

    return Variable(name="site", label=labels.PLANT, query=query)


def days_back(count: int, column: str = "ts") -> str:
    """Condition: within so many days before the range's end, however short the range is."""
    return f"{column} > $__timeTo()::timestamptz - interval '{count} days' AND {column} <= $__timeTo()::timestamptz"


FINISHED = "ts <= now() - interval '1 day'"
"""Condition on a day's row: the day is over. The sum of a day under way is no day's figure."""
WHOLE = "coverage >= 0.98"
"""Condition on a row of sums: they are of all its time. What is missing at most is less than a chart's line is wide."""


def whole_days(*columns: str) -> str:
    """Sums of a day's row; those of a day under way, or known in part, would look like a fall and are left out."""
    return ", ".join(f"CASE WHEN {FINISHED} AND {WHOLE} THEN {column} END AS {column}" for column in columns)


NOT_SENT = "NULL::text"


def rate(live: str, amount: str, kind: str, unit: str, language: Language) -> str:
    """What a meter shows now, with the unit it was sent in, else that of its kind.

    Null where it is not `live`, SQL that says whether it is heard; a live one that shows none, as scales do, says so.
    """
    units = "WHEN 'electricity' THEN 'kW' WHEN 'gangue_unit' THEN 'MW'"
    units += " WHEN 'water' THEN 'm³/h' WHEN 'heat' THEN 'm³/h' WHEN 'gas' THEN 'm³/h'"
    by_kind = f"CASE {kind} {units} ELSE 't/h' END"
    shown = f"trim(to_char({amount}, 'FM999,999,990.0')) || ' ' || {_sent(unit, by_kind)}"
    return f"CASE WHEN {live} THEN coalesce({shown}, {sql.quote(labels.NOT_SENT(language))}) END"


def register(amount: str, kind: str, unit: str = NOT_SENT) -> str:
    """What a meter's register stands at, with the unit it was sent in, else that of its kind; null stays null."""
    units = {str(each): unit_name(described(each).counted or "").replace("m3", "m³") for each in Kind if each in METERS}
    return f"trim(to_char({amount}, 'FM999,999,999,990')) || ' ' || {_sent(unit, sql.case_of(kind, units))}"


def rate_unit(quantity: str) -> str:
    """The unit of a mean rate, by the register that it is of: `GJ/h` of `heat_gj`."""
    registers = sorted({each for kind in METERS for each in registers_of(kind)})
    return sql.case_of(quantity, {each: rate_unit_name(each) for each in registers})


def _sent(unit: str, otherwise: str) -> str:
    """A unit as people write it."""
    return f"COALESCE(replace({unit}, 'm3', 'm³'), {otherwise})"


PRODUCT_UNIT = Variable(
    name="product_unit",
    label=labels.PER_UNIT,
    query=lambda _: f"SELECT product_unit AS __value, product_unit AS __text FROM site WHERE site_id = {SITE}",  # noqa: S608 - quoted by Grafana's sqlstring format
    hidden=True,
)
