"""Why a meter's event is what it is said to be, in Chinese: the kernels write their reasons in English, once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from schemas.words import Language

if TYPE_CHECKING:
    from collections.abc import Mapping

METER_RULES: Mapping[str, str] = {
    "counts on": "正常计数",
    "agrees again": "又相符",
    "no reading for more than three periods": "超过三个上报周期没有读数",
    "no reading for more than seven days": "超过七天没有读数",
    "the readings before and after it agree with each other, not with it": "前后读数彼此相符，与它不符",
    "no two of so many readings agree with each other: begins anew": "许多读数彼此都不相符：重新开始",
    "stands for longer than it ever rests": "停走时间超过以往任何一次",
    "stands while its instantaneous value says that this much passed": "表底不动，而瞬时值表明有这么多通过",
    "stands while its instantaneous value says that something passes": "表底不动，而瞬时值表明有通过",
    "counts although its instantaneous value says that nothing passes": "表底在走，而瞬时值表明没有通过",
    r"counts (\S+) times what its instantaneous value says: one of the two changed its unit":
        "表底为瞬时值累计的 $1 倍：其中之一改了单位",
    r"counts (\S+) times what its instantaneous value says: a transformer ratio may have changed":
        "表底为瞬时值累计的 $1 倍：互感器变比可能改变",
    "counts a third of what its instantaneous value says: a phase may be lost":
        "表底为瞬时值累计的三分之一：可能缺相",
    "counts two thirds of what its instantaneous value says: a phase may be lost":
        "表底为瞬时值累计的三分之二：可能缺相",
    r"counts (\S+) times the most that its rating allows, and goes on so: the rating is registered wrong, or the "
    "register counts in another unit": "持续为额定最大值的 $1 倍：额定登记有误，或表底单位不同",
    "counts at once about what its instantaneous value said had passed while it stood":
        "一次补走停走期间瞬时值所示的量",
    "counts at once several times what then passes, about what the time it stood comes to":
        "一次补走数倍于此后用量，约为停走时间的用量",
    "more than can have passed since the last reading, not more than since the last change":
        "多于上次读数以来可能的量，但不多于上次变化以来可能的量",
    "beyond its rating or history, and it goes on counting at such a speed": "超出额定或以往，且以此速度继续走",
    "more than ever before, though not more than it may have counted: it stands where it was counted":
        "多于以往，但未超出可能的量：计在所见之处",
    "comes back to where it would have been: what it showed meanwhile was not its own":
        "回到本应所在之处：其间所示不是它自己的值",
    "what it showed at first was not its own: nothing it then counts could have come to that":
        "起初所示不是它自己的值：此后所计不可能达到",
    "leaves what it showed before much is known of it": "所知尚少时即离开原先所示",
    "exchanged as registered: it counts on from the old meter's final reading": "按登记换表：从旧表的末次读数继续计",
    "falls at its registered rollover, and what passed by that is plausible": "在登记的翻转值处回落，由此算得的量合理",
    r"falls from just below (\S+) to about zero; no rollover is registered": "从略低于 $1 处回落到约零；翻转值未登记",
    "falls to no more than it can have counted since, and counts on from there": "回落到此后可能的量以内，由此继续走",
    "jumps further than anything can have passed, and counts on from there; if the meter was exchanged, register the "
    "old one's final reading: what passed is then known":
        "跳变超出任何可能的量，并由此继续走；若换过表，请登记旧表末次读数，其间用量即可知",
    "shows its first unit again": "又以原来的单位显示",
    r"shows (\S+) times what it did: its unit changed, and it is counted as before\. Register the multiplier from this "
    "moment on, or set the meter right": "所示为此前的 $1 倍：单位已改，仍按原单位计；请自此时起登记倍率，或校正表计",
    r"shows (\S+) times what it did before much was known of it: its unit changed, and nobody can tell which is right"
    r"\. Register the multiplier from this moment on, or set the meter right":
        "所知尚少时所示变为 $1 倍：单位已改，无法判断哪个正确；请自此时起登记倍率，或校正表计",
    "the import register counts while power says the other direction: its sign is reversed, or import and export are "
    "swapped": "正向表底在走，而功率方向相反：符号接反，或正反向互换",
    "the export register counts while power says the other direction: its sign is reversed, or import and export are "
    "swapped": "反向表底在走，而功率方向相反：符号接反，或正反向互换",
    "two series of values in turn: two meters send under one id, or a gateway reads another one under this name. Give "
    "each an id of its own": "两组数值交替出现：两只表共用一个编号，或网关以此名读了另一只表；请各给一个编号",
}  # fmt: skip
"""Pattern of a whole reason (`meter_event.rule`) to its Chinese; `$1` is its figure, as in Grafana's value mappings."""


def meter_rule(stored: str, language: Language) -> str:
    """A reason in a page's language; one without Chinese words stays as it was written."""
    if language is Language.EN:
        return stored
    for pattern, text in METER_RULES.items():
        if found := re.fullmatch(pattern, stored):
            return text.replace("$1", found[1]) if found.lastindex else text
    return stored
