"""Fragments of SQL that several panels share.

Only macros that both Grafana and the preview know: `$__timeFrom()`, `$__timeTo()`, `$__timeFilter(column)`,
`$__interval`, `'$__searchFilter'` of a variable, and variables as `${name:sqlstring}`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from dashboards.words import labels
from schemas.words import Language, literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.words import Text

_Word = TypeVar("_Word", bound=str)

quote = literal.quote
case_of = literal.case_of

ORIGIN = "'2000-01-03 00:00+00'::timestamptz"
"""Origin of every `date_bin`: a Monday, the same on PostgreSQL and TimescaleDB."""

STALE_PERIODS = 3
"""A device is silent when its newest reading is older than this many of its periods.

Source: docs/detection.md, "Numbers and their sources".
"""

ARRIVAL = "interval '3 minutes'"
"""How long a window may take to be computed before its absence is shown as unknown. (unsourced)"""

RECENT = "ts BETWEEN $__timeTo()::timestamptz - interval '10 minutes' AND $__timeTo()::timestamptz"
"""Windows that still count as "now": none of them is unknown, not the one before. (unsourced)"""


def bins() -> str:
    """`bins(time)`: the range's moments, one `$__interval` apart, so that a missing row is a null and not a line."""
    return (
        f"generate_series(date_bin('$__interval', $__timeFrom()::timestamptz, {ORIGIN}) + '$__interval'::interval, "
        "$__timeTo()::timestamptz, '$__interval'::interval) AS bins(time)"
    )


def fresh(latest: str, device: str = "d") -> str:
    """Whether a row of a `*_latest` table is not older than three of its device's periods."""
    return f"now() - {latest}.ts <= {STALE_PERIODS} * {device}.period_s * interval '1 second'"


def bad_ones(bad: str, known: str = "true") -> str:
    """Count of what is bad among the rows of which it is known; null where it is known of none, which is not "none".

    `bad` and `known` are conditions on a row. A count that is green at zero is one of these (`lint.green_is_known`).
    """
    return f"CASE WHEN bool_or({known}) THEN count(*) FILTER (WHERE {known} AND ({bad})) END::float8"


STORED_NOW = "(SELECT COALESCE(max(updated_at) > now() - interval '5 minutes', false) FROM checkpoint)"
"""Whether anything is stored, so that no alarm means that there is none; the limit is the rule `workers-silent`."""


SEES_ALL = "EXISTS (SELECT FROM sees_every_site)"
"""Whether who reads sees every site: only then a sum is the province's, and may be held against what it planned.

To an account that is limited to some sites the view is empty (`preview/access/confined.py`)."""


def age_s(latest: str) -> str:
    """Age of a row of a `*_latest` table, seconds; null without a row (GREATEST alone would turn that into 0).

    A device clock a little ahead is not a negative age.
    """
    return f"CASE WHEN {latest}.ts IS NOT NULL THEN GREATEST(0, extract(epoch FROM now() - {latest}.ts)) END::float8"


def duration(seconds: str, *, amber_s: float | None = None, red_s: float | None = None) -> str:
    """Write a length of time in the unit that a person says: `40 s`, `12 min`, `1.4 h`, `3.0 d`; null stays null.

    With limits the text begins with a mark for its colour (`Field(marked=True)`): ● below amber, ◐ below red, ✕ above.
    Grafana's own unit of seconds says "1 hours", in English on every page.
    """
    mark = ""
    if red_s is not None:
        amber = f"WHEN s >= {amber_s} THEN '◐ '" if amber_s is not None else ""
        mark = f"CASE WHEN s >= {red_s} THEN '✕ ' {amber} ELSE '● ' END || "
    steps = ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h"))
    whens = " ".join(f"WHEN s < {below} THEN {_digits(unit)} || ' {name}'" for below, unit, name in steps)
    said = f"{mark}CASE {whens} ELSE {_digits(86_400)} || ' d' END"
    return f"(SELECT {said} FROM (SELECT ({seconds})::float8 AS s) AS length)"  # noqa: S608 - fragments of ours


def figure_or(figure: str, decimals: int, unit: str, instead: str) -> str:
    """Write a figure with its unit as a text; where there is none, what `instead` says, and unknown where it is null.

    For a figure that is null for several reasons, of which not all are that nobody knows.
    """
    return f"coalesce(round(({figure})::numeric, {decimals}) || ' {unit}', {instead})"


def signed(amount: str, decimals: int) -> str:
    """Write a difference with its sign: `+3.2`, `−1,204`, and no minus before a zero; null stays null."""
    digits = "." + "0" * decimals if decimals else ""
    return f"replace(to_char(round(({amount})::numeric, {decimals}), 'FMSG999,999,990{digits}'), '-', '−')"


def signed_pct(amount: str) -> str:
    """The same of a difference in per cent: `+3.2 %`."""
    return f"{signed(amount, 1)} || ' %'"


def month_begin(moment: str) -> str:
    """Begin of the local month of a moment."""
    return f"date_trunc('month', {moment}, 'Asia/Shanghai')"


def month_end(begin: str) -> str:
    """End of the local month that begins at that moment.

    In a session on UTC a month begins on the last day of the one before: a month later than that is no local month's
    end where the two differ in length (28 February and 31 March).
    """
    return month_begin(f"{begin} + interval '32 days'")


def not_lifted(figure: str, limit: str, decimals: int) -> str:
    """A figure below its limit that rounding would lift to it, rounded down instead; any other as it is.

    "2.0 h of 2.0 h, retire" hides why.
    """
    is_lifted = f"{figure} < {limit} AND round(({figure})::numeric, {decimals}) >= ({limit})::numeric"
    return f"CASE WHEN {is_lifted} THEN trunc(({figure})::numeric, {decimals})::float8 ELSE ({figure})::float8 END"


def _digits(unit_s: int) -> str:
    """One digit behind the point below ten, none above; whole seconds always."""
    amount = f"(s / {unit_s})::numeric"
    return f"round({amount})" if unit_s == 1 else f"round({amount}, CASE WHEN s < {10 * unit_s} THEN 1 ELSE 0 END)"


TYPED = "NULLIF('$__searchFilter', '$' || '__searchFilter')"
"""What is typed into a variable's box; null where nothing is, and Grafana leaves the word as it stands."""

TYPED_IN_FULL = f"regexp_replace({TYPED}, '%$', '')"
"""The same without the `%` that the preview, and Grafana up to 12.3, put behind it."""


def searched(*columns: str) -> str:
    """Condition of a variable's query: what is typed into its box is part of one of the columns.

    What stands for `$__searchFilter` differs: up to 12.3 the text with a `%` behind it, and `%` before anybody types.
    Where the PostgreSQL data source asks for variables as for panels (13, in `SQLVariableSupport`), the bare text, and
    before anybody types the word itself: searched for as it stands it would find nothing, and the list stay empty.
    """
    return "(" + " OR ".join(f"{column} ILIKE concat('%', {TYPED}, '%')" for column in columns) + ")"


def typed_first(column: str) -> str:
    """Sort key of a variable's query: what was typed in full stands before all that it is a part of.

    A list ends after so many: among sets named S1 to S7000 the 1 111 with "S1" in their names would leave S1 out.
    """
    return f"({column} ILIKE {TYPED_IN_FULL}) IS NOT TRUE"


def name(language: Language, table: str, identifier: str) -> str:
    """Name of a site or device in this language; its identifier where it has none."""
    return f"COALESCE(NULLIF({table}.{language.name_column}, ''), {table}.{identifier})"


def name_and_identifier(language: Language, table: str, identifier: str) -> str:
    """Both, as the text of a searched list: Grafana offers only what has the typed characters in the text it shows."""
    own = f"{table}.{language.name_column}"
    return f"concat_ws(' · ', NULLIF(NULLIF({own}, ''), {table}.{identifier}), {table}.{identifier})"


def words_said(sql: str, column: str) -> list[str]:
    """The words that a query writes into one of its columns.

    Those of `case_of`, what stands there instead of a figure, and texts with which rows of a list (`VALUES`) begin.
    """
    quoted = r"'(?:[^']|'')*'"
    pairs = rf"(?: WHEN {quoted} THEN {quoted})+"
    cases = re.findall(rf"CASE \S+({pairs}) ELSE \S+ END AS {column}\b", sql)
    cases += re.findall(rf"coalesce\((.*)\)\s+AS {column}\b", sql)  # `figure_or` and its like
    said = [word for case in cases for word in re.findall(r"THEN '((?:[^']|'')*)'", case)]
    for rows in re.findall(rf"\(VALUES(.*?)\) AS \w+ \({column}\b", sql, flags=re.DOTALL):
        said += re.findall(r"(?:^|,)\s*\('((?:[^']|'')*)'", rows)
    return [word.replace("''", "'") for word in said]


def words_of(column: str, texts: Mapping[_Word, Text], language: Language) -> str:
    """Replace values of an enum column by their words in this language."""
    return case_of(column, {str(value): text(language) for value, text in texts.items()})


def list_words_of(column: str, texts: Mapping[_Word, Text], language: Language) -> str:
    """Replace each value of a column that lists some, separated by commas, by its word; null where it lists none."""
    word = words_of("each.item", texts, language)
    items = f"unnest(string_to_array(NULLIF({column}, ''), ',')) WITH ORDINALITY AS each (item, at)"
    separator = "、" if language is Language.ZH else ", "
    return f"(SELECT string_agg({word}, '{separator}' ORDER BY each.at) FROM {items})"  # noqa: S608 - fragments of ours


def city(language: Language, column: str = "s.city") -> str:
    """City's name in this language."""
    return column if language is Language.ZH else case_of(column, labels.CITY)


IN_CITY = "('*' IN (${city:sqlstring}) OR s.city IN (${city:sqlstring}))"
"""The city variable, whose "all" is `*`."""
