"""Words of the fleet's plans: sites at risk, capacity tests, sets to retire or move."""

from __future__ import annotations

from schemas.words import Text

FLEET_PLANS = Text("电池计划", "Fleet plans")
TESTS = Text("每月测试组数", "Tests a month")

VERDICT = {
    "holds": Text("● 撑得住", "● holds"),
    "doubtful": Text("◐ 说不准", "◐ in doubt"),
    "short": Text("✕ 多半撑不到", "✕ likely short"),
    "unknown": Text("○ 未知", "○ unknown"),
}
"""Whether a site keeps its contract in an outage of the week ahead."""
REASON = {
    "cold_ahead": Text("预报降温后不足", "holds today, not in the cold ahead"),
    "wide": Text("余量小于不确定度", "margin within the doubt"),
    "cold": Text("电池太冷", "cells too cold"),
    "load": Text("负载过大，换新组也不够", "load too high, even for new sets"),
    "worn": Text("电池老化", "worn sets"),
    "silent_set": Text("有组中断", "a set is silent"),
    "unknown_set": Text("有组容量未知", "a set is not known"),
    "contradicted": Text("电池与母线互相矛盾", "set and bus disagree"),
    "no_contract": Text("合同时长未知", "contract not known"),
}
"""What a site's verdict comes from."""
UNKNOWN_SITE = {
    "never_discharged": Text("有组从未放电", "a set never discharged"),
    "unknown_set": Text("有组放过电但不足以判断", "a set discharged, told too little"),
    "silent_set": REASON["silent_set"],
    "contradicted": REASON["contradicted"],
    "no_contract": REASON["no_contract"],
}
"""Why nothing is known of a site."""
NONE_UNKNOWN = Text("没有未知站点", "no site is unknown")
DECIDES = {
    "never_measured": Text("从未测过", "never measured"),
    "exchanged": Text("换了电芯，尚未再测", "other cells now, not measured yet"),
    "contradicted": Text("测过，但旁证不符", "measured, but contradicted"),
    "contract": Text("能否守住合同", "whether the contract holds"),
    "retirement": Text("是否退役", "whether to retire it"),
}
"""What a capacity test settles."""
OTHERS = {
    "alone": Text("◐ 只此一组：备发电机", "◐ generator: the only set"),
    "unknown": Text("○ 其余未知：备发电机", "○ generator: others unknown"),
    "short": Text("◐ 其余不够：备发电机", "◐ generator: others too weak"),
    "hold": Text("● 其余组可撑住", "● other sets carry it"),
}
"""What carries the site while the set is empty."""
GAIN_REASON = {
    "silent_set": Text("有组中断", "a set is silent"),
    "unknown_set": Text("有组容量未知", "a set is not known"),
    "contradicted": Text("电池与母线互相矛盾", "set and bus disagree"),
    "evidence": Text("证据不足，先测", "evidence not good: test first"),
}
"""Why nothing is said of what a swap buys."""

VERDICT_COLUMN = Text("下次停电", "Next outage")
WHY = Text("原因", "Because")
CHANCE_SHORT = Text("不足概率", "Chance short")
AHEAD_P10 = Text("备电 p10（计天气）", "p10, weather")
TODAY_P10 = Text("p10（今日温度）", "p10, today")
COLDEST = Text("7 日最低", "Coldest, 7 d")
NO_FORECAST = Text("无预报", "no forecast")
EVIDENCE = Text("证据", "Evidence")
OLDEST = Text("最旧证据", "Oldest evidence")
WEAKEST = Text("最弱一组", "Weakest set")
DAY = Text("日期", "Day")
DECIDES_COLUMN = Text("测了能定", "What it settles")
VALUE = Text("价值 Wh/次停电", "Worth, Wh an outage")
OTHERS_COLUMN = Text("测试期间", "During the test")
NIGHT = Text("当夜最低", "That night")
WITHOUT = Text("拆下后", "Taken out")
NEW_GAIN = Text("换新多得", "New set buys")
NEW_KEEPS = Text("换新达标", "Then keeps it")
PARTNER = Text("对调的组", "Exchange with")
MOVED_GAIN = Text("对调多得", "That buys")
PARTNER_LEFT = Text("对方剩余", "Left there")
WHY_UNKNOWN = Text("为何未知", "Why unknown")
NO_PARTNER = Text("无合适", "none fits")
WITHOUT_FORECAST = Text("无天气预报", "without a forecast")
