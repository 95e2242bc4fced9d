"""What a chart or table without a figure waits for: a plain "unknown" leaves whoever has just set up a plant alone."""

from __future__ import annotations

from schemas.words import Text

READINGS = Text("此时段没有读数", "no readings in this time")
DAY_OF_READINGS = Text("读数满 24 小时后给出", "comes once there are 24 hours of readings")
WHOLE_DAY = Text("有完整一日的读数后给出", "comes after the first whole day of readings")
WHOLE_HOUR = Text("有完整一小时的读数后给出", "comes after the first whole hour of readings")
NIGHT = Text("有一整夜的读数后给出", "comes after the first whole night of readings")
BASELINE = Text("没有基准：先运行 fenhe enpi fit", "no baseline: run fenhe enpi fit")
CHARGE = Text("浮充满 1 小时后给出", "comes after an hour on float")
HEALTH = Text("有可用的放电后给出", "comes with the first usable discharge")
BACKUP = Text("健康度已知后给出", "comes once the state of health is known")
LOAD_STEP = Text("第一次带载后给出", "comes with the first load")

PER_PRODUCT_COLUMN = Text("单位产品指标", "Per-product figures")
ARE_KNOWN = Text("已知", "known")
NO_PRODUCT_METER = Text("未登记产量表", "no product meter is registered")
NO_WINDOW = Text("尚无近一小时的读数", "no readings of the last hour yet")
HALF_AN_HOUR = Text("等待各表有半小时的读数", "wait for half an hour of readings of each meter")
NO_PRODUCTION = Text("近一小时无产量", "nothing was produced in the last hour")
