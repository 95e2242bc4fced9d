"""What is said of one message or reading that could not be used: each sentence once, in both languages.

English is what is stored, and what a device's maker is shown; pages put it into Chinese by the same sentences
(`refused.py`). What a program of others says (a database, a parser that is not among these) keeps its own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from schemas.words import Text

_NUMBERS = frozenset(
    {"count", "of", "days", "seconds", "size", "allowed", "head", "ts", "more", "line", "column", "end", "stored"}
)
_FREE = frozenset({"says", "said", "key", "kind", "sent"})
_SPECIAL = re.compile(r"([.^$*+?()\[\]{}|\\])")
_PART = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with named parts, `{ts}`; call it with them for what is stored. Both languages name the same parts."""

    text: Text

    def __call__(self, **parts: object) -> str:
        """Say it in English."""
        return self.text.en.format(**parts)

    @property
    def parts(self) -> list[str]:
        """Names of its parts, in order."""
        return [name for name in _PART.findall(self.text.en) if f"{{{{{name}}}}}" not in self.text.en]

    def pattern(self) -> tuple[str, str]:
        r"""Return a regular expression that finds it, and the Chinese that stands in its place, with `\1` for a part.

        As Python and PostgreSQL both read it.
        """
        plain = self.text.en.replace("{{", "{").replace("}}", "}")
        names = self.parts
        found = "".join(
            _pattern_of(piece[1:-1]) if piece.startswith("{") and piece[1:-1] in names else _SPECIAL.sub(r"\\\1", piece)
            for piece in re.split(r"(\{\w+\})", plain)
        )
        chinese = self.text.zh.replace("{{", "{").replace("}}", "}")
        for at, name in enumerate(names, 1):
            chinese = chinese.replace(f"{{{name}}}", f"\\{at}")
        return found, chinese


def _pattern_of(part: str) -> str:
    return r"(-?[0-9]+)" if part in _NUMBERS else r"(.+)" if part in _FREE else r"(\S+)"


def _sentence(zh: str, en: str) -> Sentence:
    return Sentence(Text(zh, en))


# A message as it comes in.
TOPIC_VERSION = _sentence(
    "主题版本为 {version}，本系统只用 {spoken}", "topic version {version}, this fenhe speaks {spoken}"
)
TOPIC_SHAPE = _sentence(
    "主题不是 fenhe/v1/<site_id>/<kind>/<device_id>", "topic is not fenhe/v1/<site_id>/<kind>/<device_id>"
)
TOPIC_NAMES = _sentence(
    "主题中的 site_id 或 device_id 不是合法标识", "site_id or device_id in the topic is not an identifier"
)
NO_SUCH_KIND = _sentence("没有名为 {kind} 的读数种类", "no kind of reading is called {kind}")
RETAINED = _sentence(
    "发布时带有保留标志：请不带该标志发布；此处留存的可以回放",
    "published with the retain flag: publish without it; what is kept here can be replayed",
)
TOO_LARGE = _sentence(
    "共 {size} 字节，上限 {allowed} 字节；sha256 {digest}；留存前 {head} 字节",
    "{size} bytes, {allowed} allowed; sha256 {digest}; the first {head} bytes are kept",
)
BURSTING = _sentence(
    "连同对其各元素的说明，超出一条 Kafka 记录的容量",
    "with what is to be said of its elements it does not fit into a Kafka record",
)
EMPTY_ARRAY = _sentence("数组中没有读数", "an array without a reading")
ELEMENTS_REFUSED = _sentence(
    "{of} 个元素中有 {count} 个被拒，第一个：", "{count} of {of} elements refused, the first: "
)
PAYLOAD_AND_TOPIC = _sentence(
    "报文称 {field} 为 {says}，主题称 {said}", "payload says {field} {says}, topic says {said}"
)
KEY_TWICE = _sentence(
    "同一对象中键 {key} 出现两次：以哪个为准？", "the key {key} stands twice in one object: which of them is meant?"
)
MANY_PROBLEMS = _sentence("有 {count} 处错误", "{count} things are wrong with it")
AND_MORE = _sentence("（另有 {more} 处）", " (and {more} more)")

# Its time.
TIME_IN = {
    unit: _sentence(
        f"ts {{ts}} 的单位是{zh}，不是毫秒：请发送毫秒或 RFC 3339",
        f"ts {{ts}} is a time in {unit}, not in milliseconds: send milliseconds or RFC 3339",
    )
    for unit, zh in {"seconds": "秒", "microseconds": "微秒", "nanoseconds": "纳秒"}.items()
}
CLOCK_AHEAD = _sentence("设备时钟比到达时间超前 {seconds} 秒", "device clock is {seconds} s ahead of arrival")
CLOCK_BEYOND = _sentence(
    "设备时钟超前，已超出任何历法", "device clock is ahead of arrival by more than any calendar has"
)
BEFORE_2000 = _sentence(
    "ts {ts} ms 早于 2000 年：时钟丢失，或单位不是毫秒", "ts {ts} ms is before the year 2000: clock lost, or not in ms"
)
BEFORE_FIRST_DAY = _sentence("{at} 早于设备的首日：时钟丢失", "{at} is before the device's first day: clock lost")
LONG_BEFORE_ARRIVAL = _sentence(
    "{at} 比到达时间早 20 年以上：时钟丢失", "{at} is more than 20 years before it arrived: clock lost"
)
BEHIND_NEWEST = _sentence(
    "{at} 比最新读数早 {days} 天：时钟跳变；若为历史数据请登记 first_day",
    "{at} is {days} days before the newest reading: the clock jumped; register first_day if it is history",
)
NOT_A_TIME = _sentence(
    "不是时间：请发送自纪元起的整毫秒数，或 RFC 3339，例如 2026-03-01T08:00:00Z",
    "not a time: send whole milliseconds since the epoch, or RFC 3339, for example 2026-03-01T08:00:00Z",
)
NOT_RFC_3339 = _sentence(
    "不是 RFC 3339 格式的时间，例如 2026-03-01T08:00:00Z",
    "not a time as RFC 3339 writes it, for example 2026-03-01T08:00:00Z",
)
NO_TIME_ZONE = _sentence(
    "ts 缺时区，例如 2026-03-01T08:00:00Z", "ts needs a time zone, for example 2026-03-01T08:00:00Z"
)
NO_TIME_OF_DAY = _sentence(
    "{time} 不是一天中的时刻：应为 00:00:00 至 23:59:59",
    "{time} is no time of a day: it goes from 00:00:00 to 23:59:59",
)
NO_OFFSET = _sentence(
    "{zone} 不是时区偏移：应为 -23:59 至 +23:59，中国为 +08:00",
    "{zone} is no offset of a time zone: these go from -23:59 to +23:59, and China's is +08:00",
)
NO_DAY = _sentence("{date} 不是历法中的日期", "{date} is no day of the calendar")
LEAP_SECOND = _sentence("闰秒只在 UTC 一天之末", "a leap second is only at the end of a day, UTC")
SAMPLE_ORDER = _sentence(
    "采样先始后终，且不晚于结果发布：应有 sample_from <= sample_to <= ts，而非 {sample_from}、{sample_to}、{ts}",
    "a sample begins before it ends, and ends no later than its result is released: sample_from <= sample_to <= ts,"
    " not {sample_from}, {sample_to}, {ts}",
)
SAMPLE_BEFORE_2000 = _sentence(
    "sample_from {ts} 早于 2000 年：单位是否为秒？请发送毫秒",
    "sample_from {ts} lies before the year 2000: is it in seconds? send milliseconds",
)
SAMPLE_TOO_LONG = _sentence(
    "超过一年的采样不成立：sample_from 与 sample_to 说明样品的采集时段",
    "a sample of more than a year is none: sample_from and sample_to say what it was taken from",
)

# Its device, and its values.
NOT_REGISTERED = _sentence(
    "设备 {device_id} 未登记：登记后可回放", "device {device_id} is not registered: register it and replay"
)
REGISTERED_ELSEWHERE = _sentence(
    "{device_id} 登记为 {registered}，主题称 {said}", "{device_id} is registered as {registered}, topic says {said}"
)
NOTHING_LEFT = _sentence(
    "{field} 为 {sent}，有效范围 {low} 至 {high}：无可用之值",
    "{field} is {sent}, valid is {low} to {high}: nothing is left",
)
STORED_ALREADY = _sentence(
    "同一设备同一时刻已存有另一读数", "another reading with this device and time is stored already"
)
NOT_AN_OBJECT = _sentence(
    '读数应为对象，如 {{"ts": 1767225600000, …}}', 'a reading is an object such as {{"ts": 1767225600000, …}}'
)
WHOLE_FROM_TO = _sentence("不是 {low} 至 {high} 的整数", "not a whole number from {low} to {high}")
NOT_WHOLE = _sentence("不是整数", "not a whole number")
NOT_FINITE = _sentence("不是有限的数", "not a finite number")
NOT_A_NUMBER = _sentence("不是数", "not a number")
NOT_A_TEXT = _sentence("不是文本", "not a text")
NOT_A_LIST = _sentence("不是列表", "not a list")
MISSING = _sentence("缺失", "is missing")
NO_SUCH_FIELD = _sentence("该种类没有此字段，见报文格式", "no such field of this kind: see the message format")
NO_SUCH_WORD = _sentence(
    "不是此处可用的词，见报文格式", "none of the words that may stand here: see the message format"
)
NOT_WRITTEN_SO = _sentence("写法不符，见报文格式", "not written as it must be: see the message format")
TEXT_TOO_LONG = _sentence("超过 {allowed} 个字符", "has more than {allowed} characters")
WRONG_COUNT = _sentence("数值的个数不符，见报文格式", "not as many values as belong here: see the message format")
OUT_OF_CALENDAR = _sentence("不在 1970 至 9999 年之间", "lies outside of the years 1970 to 9999")

# A record that Kafka holds.
UNREADABLE_TABLE = _sentence("数据表无法读取：", "a table that cannot be read: ")
NO_MICRO_BATCH = _sentence("不是一批读数：", "not a micro-batch: ")
RECORD_VERSION = _sentence(
    "记录版本为 {version}，本系统只用 {first} 与 {second}",
    "record version {version}, this fenhe speaks {first} and {second}",
)

LOG_GONE = _sentence("日志中已不存在", "gone from the log")
LOG_REPLACED = _sentence(
    "日志已被替换：其末尾为 {end}，已入库至 {stored}；从头开始",
    "log replaced: it ends at {end}, {stored} was stored; starting at its beginning",
)

INVALID_JSON = _sentence("JSON 无效：", "Invalid JSON: ")
AT_LINE = _sentence("（第 {line} 行第 {column} 列）", " at line {line} column {column}")
JSON_PROBLEMS = tuple(
    _sentence(zh, en)
    for en, zh in {
        "EOF while parsing a list": "列表未完",
        "EOF while parsing a string": "字符串未完",
        "EOF while parsing a value": "值未完",
        "EOF while parsing an object": "对象未完",
        "control character (\\u0000-\\u001F) found while parsing a string": "字符串中有控制字符",
        "expected `,` or `]`": "此处应为 , 或 ]",
        "expected `,` or `}}`": "此处应为 , 或 }}",
        "expected `:`": "此处应为冒号",
        "expected value": "此处应为值",
        "expected ident": "此处应为 true、false 或 null",
        "invalid escape": "转义无效",
        "invalid number": "数字无效",
        "invalid unicode code point": "字符编码无效",
        "key must be a string": "键应为字符串",
        "lone leading surrogate in hex escape": "转义中有单独的代理项",
        "number out of range": "数字超出范围",
        "recursion limit exceeded": "嵌套过深",
        "trailing characters": "结尾之后还有字符",
        "trailing comma": "多余的逗号",
        "unexpected end of hex escape": "十六进制转义未完",
    }.items()
)
"""What the JSON parser says, in its own English, and where."""


@cache
def sentences() -> tuple[Sentence, ...]:
    """Return all of them."""
    own = [value for value in globals().values() if isinstance(value, Sentence)]
    return (*own, *TIME_IN.values(), *JSON_PROBLEMS)
