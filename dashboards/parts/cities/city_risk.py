"""Sites at risk in the next outage, city by city, with those of which nothing is known beside them."""

from __future__ import annotations

from dashboards.kit import fields, panels, sql
from dashboards.kit.fields import Field, Link
from dashboards.kit.panels import About, Panel
from dashboards.words import labels
from dashboards.words import plans as words
from schemas.words import Language, Text

TO_PLANS = Link("fleet-plans", Text("看有风险的站点", "Sites at risk"), {"city": "city_key"})


def by_city(language: Language) -> Panel:
    """A row a city, the one with most sites that fall short on top."""
    about = About(
        language=language,
        title=Text("各城市：下次停电撑不到合同的站点", "By city: sites that miss their contract next outage"),
        description=Text(
            "多半撑不到：p50 < 合同；说不准：p10 < 合同 ≤ p50；未知：站内有组未知或中断，不算撑得住；"
            "有天气预报的计入降温。撑不到者多的城市在前，点城市看站点。来源：battery_site_risk。",
            "Likely short: p50 < contract; in doubt: p10 < contract ≤ p50; unknown: a set of the site is unknown or "
            "silent, which is not holding. The cold of a forecast is reckoned in. Cities with most sites short on top; "
            "a city leads to its sites. Source: battery_site_risk.",
        ),
        width=12,
        height=9,
        empty=labels.NONE,
    )
    known = "r.verdict <> 'unknown'"
    bad = ",\n       ".join(
        sql.bad_ones(f"r.verdict = '{each}'", known) + f" AS {each}" for each in ("short", "doubtful")
    )
    query = f"""
SELECT s.city AS city_key, {sql.city(language)} AS city,
       {bad},
       count(*) FILTER (WHERE r.verdict = 'unknown')::float8 AS unknown,
       count(*) FILTER (WHERE r.verdict = 'holds')::float8   AS holds
FROM battery_site_risk r
JOIN site s USING (site_id)
WHERE {sql.IN_CITY}
GROUP BY s.city
ORDER BY short DESC NULLS LAST, doubtful DESC NULLS LAST, unknown DESC, s.city
"""  # noqa: S608 - fragments of ours
    return panels.table(
        about,
        query,
        Field(name="city_key", hidden=True),
        Field(name="city", label=labels.CITY_COLUMN, link=TO_PLANS, width=70),
        Field(name="short", label=words.VERDICT["short"], decimals=0, width=60, thresholds=fields.ANY_IS_BAD),
        Field(name="doubtful", label=words.VERDICT["doubtful"], decimals=0, width=60, thresholds=fields.ANY_IS_WARNING),
        Field(name="unknown", label=words.VERDICT["unknown"], decimals=0, width=60, color=fields.UNKNOWN),
        Field(name="holds", label=words.VERDICT["holds"], decimals=0, width=60),
    )
