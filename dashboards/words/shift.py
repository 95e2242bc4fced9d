"""Words of the shift's handover: what stands, what came up, what was done, and what is left to the next shift."""

from __future__ import annotations

from schemas.words import Text

HANDOVER = Text("交接班", "Shift handover")
PERIOD = Text("时段", "Period")
LAST_HOURS = Text("近 {hours} 小时", "last {hours} h")
DATA = Text("数据", "Data")
STANDING = Text("现在仍成立", "Holding now")
CAME_UP = Text("本时段提示", "Put before operators")
CAME_UP_COUNT = Text(
    "{alarms} 个告警，共 {times} 次；其中 {over} 个已恢复", "{alarms} alarms, {times} times; {over} are over"
)
DONE_COUNT = Text("{acts} 次，{people} 人", "{acts}, by {people}")
DEALT_WITH = Text("人工处理", "Acts of operators")
TO_DO = Text("尚未了结的告警", "Alarms not done with")
DONE = Text("本时段人工处理", "What operators did")
NOTES = Text("交接记事", "Notes for the next shift")
MORE_NOTES = Text("另有 {more} 条更早的记事，请选较短的时段", "and {more} earlier ones: choose a shorter period")
AND_MORE = Text("另有 {more} 个，见告警页", "and {more} more, on the page of alarms")
NOTE = Text("记事", "Note")
ABOUT = Text("关于", "About")
ALL_SITES = Text("所有站点", "all sites")
OWN_SITES = Text("本账号的所有站点", "all sites of your account")
ALL_CITIES = Text("所有城市", "all cities")
WRITE = Text("写入", "Write")
PRINT = Text("打印", "Print")
NOT_ALL = Text("请从列表中选择站点", "choose a site from the list")
