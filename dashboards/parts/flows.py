"""Where a plant's energy goes: its balances as a flow diagram, and all its meters as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.kit import fields, panels, sql
from dashboards.kit.fields import Field
from dashboards.kit.panels import About
from dashboards.parts.plants import FINISHED, SITE, TO_METER, days_back, register
from dashboards.words import labels, not_yet
from schemas.kinds import METERS, described
from schemas.readings import Kind
from schemas.registry import Role
from schemas.words import Language, Text

if TYPE_CHECKING:
    from dashboards.kit.panels import Panel

SUM = "Σ "
"""Before the name of a medium, where what is taken in comes together: no meter is taken for it."""
UNMETERED = Text("未分表计量", "not sub-metered")
BEYOND_INTAKE = Text("分表多出", "sub-meters above intake")
COUNTED = {kind: described(kind).counted for kind in Kind if kind in METERS and kind is not Kind.GANGUE_UNIT}
"""By kind, the one register that a meter counts with in the tree; a gangue unit is none, it is made of many."""


def _medium(language: Language, kind: str, carrier: str) -> str:
    """Name of a medium: its carrier's in the reference data, or its kind's where that says it all."""
    word = sql.words_of(kind, labels.KIND, language)
    named = f"SELECT f.{language.name_column} FROM reference_energy_factor f WHERE f.key = {carrier}"  # noqa: S608 - fragments of ours
    newest = f"({named} ORDER BY f.version DESC LIMIT 1)"
    return f"CASE WHEN {kind} IN ('electricity', 'water') THEN {word} ELSE COALESCE({newest}, {word}) END"


def energy_flow(language: Language) -> Panel:
    """From the meters at the boundary over each medium to its sub-meters, as balanced over the newest whole day."""
    about = About(
        language=language,
        title=Text("能量流向 kgce · 最近完整一日", "Energy flow, kgce · newest whole day"),
        description=Text(
            "各介质一日平衡：进线表 → 介质 → 分表、外送与未分表计量，按 GB/T 2589-2020 折标准煤，以便相互比较。"
            "有一只表不知道全天的介质无法平衡，只写“未知”，不画宽度。自发电企业的电力不在其中。"
            "来源：balance_day、reference_energy_factor。",
            "The day's balance of each medium: meters at the boundary → medium → sub-meters, exports and what is not "
            "sub-metered, in standard coal by GB/T 2589-2020 so that they compare. A medium of which one meter does "
            "not know the whole day cannot be balanced: it is unknown and has no width. Electricity of a plant that "
            "generates it is not among them. Source: balance_day, reference_energy_factor.",
        ),
        width=24,
        height=10,
        empty=not_yet.WHOLE_DAY,
    )
    name = sql.name(language, "d", "device_id")
    medium = f"{sql.quote(SUM)} || {_medium(language, 'b.kind', 'b.medium')}"
    query = f"""
WITH b AS MATERIALIZED (
    SELECT DISTINCT ON (y.medium) y.*, f.kgce AS factor,
           (SELECT min(d.kind) FROM json_object_keys(y.meters) AS id JOIN device d ON d.device_id = id) AS kind
    FROM balance_day y
    LEFT JOIN reference_energy_factor f ON f.key = y.medium AND f.version = y.reference_version
    WHERE y.site_id = {SITE} AND {days_back(3, "y.ts")} AND y.{FINISHED}
    ORDER BY y.medium, y.ts DESC
), metered AS (
    SELECT b.*, {medium} AS node, {name} AS meter, d.role, (each.value ->> 1)::float8 AS amount
    FROM b CROSS JOIN json_each(b.meters) AS each JOIN device d ON d.device_id = each.key
    WHERE b.residual IS NOT NULL
), links AS (
    SELECT CASE WHEN role IN ({_inflow()}) THEN meter ELSE node END AS flow_from,
           CASE WHEN role IN ({_inflow()}) THEN node ELSE meter END AS flow_to, amount * factor AS flow
    FROM metered
    UNION ALL
    SELECT CASE WHEN b.residual < 0 THEN {sql.quote(BEYOND_INTAKE(language))} ELSE {medium} END,
           CASE WHEN b.residual < 0 THEN {medium} ELSE {sql.quote(UNMETERED(language))} END, abs(b.residual) * factor
    FROM b WHERE b.residual <> 0
    UNION ALL
    SELECT {medium}, {sql.quote(labels.UNKNOWN(language))}, NULL FROM b WHERE b.residual IS NULL
)
SELECT flow_from, flow_to, flow FROM links WHERE flow > 0 OR flow IS NULL
ORDER BY flow DESC NULLS LAST, flow_from, flow_to
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="flow_from", label=Text("从", "From")),
        Field(name="flow_to", label=Text("到", "To")),
        Field(
            name="flow", label=Text("一日 kgce", "Day, kgce"), unit="kgce", decimals=0, color=fields.PRIMARY, width=130
        ),
    )


def _inflow() -> str:
    """Roles of meters from which a medium is taken in."""
    return ", ".join(sql.quote(str(role)) for role in (Role.CONSUMED, Role.DRAWN))


def meter_tree(language: Language) -> Panel:
    """Every meter below its medium: those at the boundary, then those inside, with the last day's amount."""
    about = About(
        language=language,
        title=Text("表计树 · 24 h", "Tree of meters · 24 h"),
        description=Text(
            "各介质的进线表、外送与产品表，其下为内部分表；最近 24 小时的表底增量，占该介质进线合计的比例；"
            "没有进线的（如产品）占其自身合计。"
            "每类表只计一个表底：蒸汽按质量，水与燃气按体积，热量按 GJ。"
            "覆盖不足 98 % 的为未知，进线有一只未知则合计与比例未知。来源：device、meter_quarter。",
            "Of each medium the meters at the boundary, below them those inside; what their registers counted in the "
            "last 24 hours, and its share of the medium's intake, or of their own sum where none comes in, as of a "
            "product. A kind of meter is counted by one register: steam by "
            "mass, water and gas by volume, heat by GJ. Below a coverage of 98 % it is unknown; where one "
            "meter of the intake is, so are sum and shares. Source: device, meter_quarter.",
        ),
        width=24,
        height=8,
        empty=labels.NONE,
    )
    medium = _medium(language, "d.kind", "(d.detail ->> 'carrier')")
    end = f"date_bin('15 minutes', $__timeTo()::timestamptz - {sql.ARRIVAL}, {sql.ORIGIN})"
    kinds = ", ".join(
        f"({sql.quote(str(kind))}, {sql.quote(quantity)})" for kind, quantity in COUNTED.items() if quantity
    )
    query = f"""
WITH kinds (kind, quantity) AS (VALUES {kinds}
), counted AS MATERIALIZED (
    SELECT q.device_id, CASE WHEN sum(q.coverage) >= 0.98 * 96 THEN sum(q.increment) END AS amount
    FROM meter_quarter q JOIN device d USING (device_id) JOIN kinds k USING (kind, quantity)
    WHERE d.site_id = {SITE} AND q.ts >= {end} - interval '24 hours' AND q.ts < {end}
    GROUP BY q.device_id
), meters AS (
    SELECT d.device_id, d.site_id, d.kind, {medium} AS medium, d.role, c.amount,
           {sql.name(language, "d", "device_id")} AS name,
           d.role IN ({_inflow()}) OR d.role <> '{Role.INTERNAL}' AND NOT bool_or(d.role IN ({_inflow()}))
               OVER (PARTITION BY d.kind, {medium}) AS is_intake, d.role = '{Role.INTERNAL}' AS is_inside
    FROM device d JOIN kinds USING (kind) LEFT JOIN counted c USING (device_id)
    WHERE d.site_id = {SITE}
), media AS (
    SELECT kind, medium, CASE WHEN bool_and(amount IS NOT NULL) FILTER (WHERE is_intake)
                              THEN sum(amount) FILTER (WHERE is_intake) END AS intake
    FROM meters GROUP BY kind, medium
), nodes AS (
    SELECT kind, medium, 0 AS depth, '' AS device_id, NULL AS site_id, medium AS node, NULL AS role, intake AS amount,
           intake / NULLIF(intake, 0) AS share
    FROM media
    UNION ALL
    SELECT m.kind, m.medium, CASE WHEN m.is_inside THEN 2 ELSE 1 END, m.device_id, m.site_id,
           CASE WHEN m.is_inside THEN '\u00a0\u00a0\u00a0\u00a0└ ' ELSE '└ ' END || m.name, m.role, m.amount,
           m.amount / NULLIF(g.intake, 0)
    FROM meters m JOIN media g USING (kind, medium)
)
SELECT NULLIF(device_id, '') AS device_id, site_id, node,
       {sql.words_of("role", labels.ROLE, language)} AS role, {register("amount", "kind")} AS amount, share
FROM nodes
ORDER BY kind, medium, depth, device_id
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="device_id", hidden=True),
        Field(name="site_id", hidden=True),
        Field(name="node", label=labels.METER, link=TO_METER),
        Field(name="role", label=labels.ROLE_COLUMN, width=90, unknown=Text("合计", "total")),
        Field(name="amount", label=Text("24 小时", "24 hours"), width=150),
        Field(
            name="share",
            label=labels.SHARE,
            grafana_unit="percentunit",
            decimals=0,
            width=90,
        ),
    )
