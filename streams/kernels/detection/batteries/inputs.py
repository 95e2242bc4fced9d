"""What an input that was not sent as true or false says: `1`, `"on"`, `[true]`, `{"value": 0, "quality": 192}`, 未触发.

A word that is not known is a danger: one alarm too many costs a call. What healthy devices write is known.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from schemas.aside import MOST_CHARACTERS
from streams.kernels.detection.batteries.written import (
    CONTAINER,
    STATE,
    is_json,
    is_value,
    listed,
    parts_of,
    plain_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

INPUT = frozenset({"smoke", "water", "fire", "leak", "flood", "input", "di", "烟雾", "烟感", "水浸", "火警"})
"""What an input itself may be called within an object."""
ALARM = STATE - {"state", "status", "active", "on", "状态"}
"""States that tell of nothing else: `status` may be that of the line, and `active` that the point is in service."""


def is_set(sent: Any) -> bool | None:  # noqa: ANN401 - any JSON
    """Read an input; None where nothing is known of it."""
    if isinstance(sent, int | float):
        return sent != 0
    if isinstance(sent, dict):
        return _of_object(sent)
    if isinstance(sent, list):
        return _any(is_set(part) for part in sent)
    if not isinstance(sent, str):
        return None
    if is_json(sent) and (found := listed(sent)) is not None:
        said = is_set(found)
        return None if said is False and len(sent) >= MOST_CHARACTERS else said  # who knows what was cut off
    return _of_word(sent)


def _any(said: Iterable[bool | None]) -> bool | None:
    parts = set(said)
    return True if True in parts else False if False in parts else None


def _of_object(sent: dict[str, Any]) -> bool | None:
    """Of an object its value; a state beside one that is not set counts where it says a danger in so many words."""
    states = {name: part for key, part in sent.items() if (name := plain_name(key)) in STATE}
    others = parts_of(sent, INPUT, leave=STATE)
    if states and not any(is_value(plain_name(key), INPUT) for key in sent):
        return _any(is_set(part) for part in (*states.values(), *(part for part in others if _is_nested(part))))
    said = _any(is_set(part) for part in others)
    if said is None:
        return _any(is_set(part) for part in states.values())
    return said or any(
        is_set(part) is True
        and (name in ALARM or _is_nested(part) or (isinstance(part, str) and _DANGER.search(part.lower()) is not None))
        for name, part in states.items()
    )


def _is_nested(part: Any) -> bool:  # noqa: ANN401 - any JSON
    return isinstance(part, CONTAINER)


def _of_word(sent: str) -> bool | None:
    word = re.sub(r"[\s_]+", " ", sent.strip(" .!。\t\r\n").lower())
    if word in _UNKNOWN:
        return None
    if _ZERO.fullmatch(word):
        return False
    bare = _CODE.sub("", word) or word
    bare = _SUBJECT.sub("", bare) or bare
    if bare in _UNKNOWN:
        return None
    return not (bare in _OFF or _ZERO.fullmatch(bare) or _NO.fullmatch(bare) or _FINE.fullmatch(bare))


_ZERO = re.compile(r"[-+]?0+(\.0*)?\s*(?:%|ppm|ma|mm|cm|v)?|0x0+", re.ASCII)
_CODE = re.compile(r"^\d+\s*[:：、=]\s*(?=\D)|^\d+\s*-\s*(?=[^\W\d])|\s*[(（\[]\s*\d+\s*[)）\]]$")
"""A number beside the word: 正常(0), `0: normal`."""
_SUBJECT = re.compile(
    r"^(?:(?:smoke|water|fire|leak|flood|alarm|state|status|sensor|detector|input)s?(?:\s*[:=：]\s*|\s+))+"
    r"|^(?:烟雾|烟感|水浸|火警|告警|报警|状态|传感器|探测器)+\s*[:=：]\s*"
)
_SAID = (
    r"(?:烟雾|烟感|烟|火警|火情|火灾|明火|着火|火|漏水|水浸|浸水|进水|积水|渗水|溢水|水|泄漏|漏液"
    r"|告警|报警|警报|警情|警|异常|触发|动作)"
)
_NO = re.compile(
    rf"(?:没有|没|未|无|不|非|否)(?:检测到|探测到|检测出|监测到|发现|检出|发生|出现|产生|有|见|被|任何)*{_SAID}*(?:信号|状态)?"
    r"|(?:no|not|none|non|without|un)(?:[ -]?(?:any|smoke|fire|water|leak|leaks|leakage|leaking|flood|flooding|alarm|"
    r"alarms|alarming|alert|alerts|detected|detection|triggered|active|activated|set|present|event|events|found|wet|"
    r"danger|tripped))+"
)
_FINE = re.compile(
    rf"(?:{_SAID}|状态|设备|传感器|探测器|运行|工作|一切|监测|输入|均|已|恢复)*(?:正常|安全|良好|干燥|恢复|解除|消失|结束|消除|清除|复归|复位)(?:状态|运行|工作)?"
    r"|(?:all )?(?:normal|ok|okay|clear|cleared|good|healthy|safe)(?: state| status| operation)?"
)
_DANGER = re.compile(r"alarm|alert|smoke|fire|water|leak|flood|trigger|detect|trip|烟|火|水|警|触发|动作|漏|异常")
_WORDS_FOR_NO = """
    false off no n f inactive idle dry quiet standby disarmed ready armed reset restored recovered
    deactivated negative untriggered 否 关 关闭 假 无 未 待机 布防 监视 监控 空闲 就绪 静默 平安
"""
_OFF = frozenset(_WORDS_FOR_NO.split())
_UNKNOWN = frozenset(
    {"", "-", "--", "none", "null", "nan", "unknown", "n/a", "na", "not available", "no data", "no signal", "offline"}
    | {"online", "connected", "valid", "enabled", "disabled", "disconnected", "no response", "not connected", "running"}
    | {"未知", "无数据", "无效", "有效", "通信中断", "在线", "离线", "无信号", "无响应", "未连接", "未接入", "已连接"}
    | {"启用", "停用", "禁用", "运行", "运行中"}
)
