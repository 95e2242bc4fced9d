"""The province by city: what stands in each, and whether it needs somebody, where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dashboards.kit import panels, sql
from dashboards.kit.fields import Field, Link
from dashboards.kit.panels import About
from dashboards.parts import alarm_lists
from dashboards.words import labels
from schemas.words import Language, Text

if TYPE_CHECKING:
    from dashboards.kit.panels import Panel


class Seat(NamedTuple):
    """Where a city lies, degrees north and east of WGS 84."""

    latitude: float
    longitude: float


SEATS = {
    "大同": Seat(40.0936, 113.2914),
    "朔州": Seat(39.3158, 112.4225),
    "忻州": Seat(38.4092, 112.7333),
    "太原": Seat(37.8694, 112.5603),
    "阳泉": Seat(37.8575, 113.5633),
    "晋中": Seat(37.6840, 112.7547),
    "吕梁": Seat(37.5192, 111.1444),
    "长治": Seat(36.1839, 113.1053),
    "临汾": Seat(36.0889, 111.5189),
    "晋城": Seat(35.5022, 112.8328),
    "运城": Seat(35.0231, 110.9928),
}
"""Source: GeoNames (CC BY 4.0), ids 2037799, 1794328, 1788450, 1793511, 1787351, 10942283, 13512505, 1808956, 1803567,
1805741 and 1785738, read 2026-11-30."""

ACT = Text("✕ 需处理", "✕ act")
LOOK = Text("◐ 有告警", "◐ alarms")
GOOD = Text("● 正常", "● good")
UNKNOWN = Text("○ 未知", "○ unknown")
TO_CITY = Link("battery-fleet", Text("看电池总览", "Battery fleet"), {"city": "city_key"})


def city_map(language: Language) -> Panel:
    """A row a city, with where it lies: the preview draws it as a map, Grafana as a table."""
    about = About(
        language=language,
        title=Text("各城市", "Cities"),
        description=Text(
            "需处理：有站点市电中断，或有“严重”以上的活动告警；有告警：其他活动告警；未知：无上述“需处理”而没有一台设备在线上报。"
            "标记大小为电池组数；没有坐标的城市列在图下。城市坐标：GeoNames（CC BY 4.0）。"
            "来源：site、device、alarm、site_power_latest、arrival。",
            "Act: a site without mains, or an active alarm of high or critical severity; alarms: any other; unknown: "
            "nothing to act on and no device reports. A mark is as large as the city's sets are many; a city without "
            "coordinates is named below the map. Coordinates: GeoNames (CC BY 4.0). "
            "Source: site, device, alarm, site_power_latest, arrival.",
        ),
        width=24,
        height=11,
        empty=labels.NONE,
    )
    seats = ",\n    ".join(f"({sql.quote(city)}, {at.longitude}, {at.latitude})" for city, at in SEATS.items())
    query = f"""
WITH seats (city, lon, lat) AS (VALUES
    {seats}
), standing AS (
    SELECT s.city, count(*) AS alarms, count(*) FILTER (WHERE a.severity IN ('critical', 'high')) AS grave
    FROM alarm a JOIN site s USING (site_id) WHERE {alarm_lists.ACTIVE} GROUP BY s.city
), power AS (
    SELECT s.city, count(*) FILTER (WHERE p.mains_failed AND {sql.fresh("p")}) AS out
    FROM site_power_latest p JOIN device d USING (device_id) JOIN site s ON s.site_id = d.site_id GROUP BY s.city
), reporting AS (
    SELECT s.city, count(*) AS live
    FROM arrival a JOIN device d USING (device_id) JOIN site s ON s.site_id = d.site_id
    WHERE {sql.fresh("a")} GROUP BY s.city
), there AS (
    SELECT s.city, count(DISTINCT s.site_id) FILTER (WHERE s.sector <> 'base_station') AS plants,
           count(d.device_id) FILTER (WHERE d.kind = 'battery') AS sets
    FROM site s LEFT JOIN device d USING (site_id) GROUP BY s.city
)
SELECT t.city AS city_key, {sql.city(language, "t.city")} AS city, seats.lon AS map_lon, seats.lat AS map_lat,
       CASE WHEN COALESCE(p.out, 0) + COALESCE(a.grave, 0) > 0 THEN {sql.quote(ACT(language))}
            WHEN COALESCE(r.live, 0) = 0 THEN {sql.quote(UNKNOWN(language))}
            WHEN COALESCE(a.alarms, 0) > 0 THEN {sql.quote(LOOK(language))}
            ELSE {sql.quote(GOOD(language))} END AS state,
       t.plants::float8 AS plants, t.sets::float8 AS sets, COALESCE(a.alarms, 0)::float8 AS alarms,
       CASE WHEN r.live > 0 THEN COALESCE(p.out, 0) END::float8 AS out
FROM there t
LEFT JOIN seats USING (city)
LEFT JOIN standing a USING (city)
LEFT JOIN power p USING (city)
LEFT JOIN reporting r USING (city)
ORDER BY seats.lat DESC NULLS LAST, t.city
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="city_key", hidden=True),
        Field(name="map_lon", hidden=True),
        Field(name="map_lat", hidden=True),
        Field(name="city", label=labels.CITY_COLUMN, link=TO_CITY, width=90),
        Field(name="state", label=labels.STATE, marked=True, width=100),
        Field(name="plants", label=Text("企业", "Plants"), decimals=0, width=70),
        Field(name="sets", label=Text("电池组", "Sets"), decimals=0, width=70),
        Field(name="alarms", label=Text("告警", "Alarms"), decimals=0, width=70),
        Field(name="out", label=labels.OUTAGES_SHORT, decimals=0, width=80),
    )
