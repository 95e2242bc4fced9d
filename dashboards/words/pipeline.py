"""Words of the pages about the pipeline."""

from __future__ import annotations

from schemas.aside import AsideReason
from schemas.words import Text

PIPELINE = Text("数据质量", "Pipeline")
DAYS_LEFT = Text("磁盘写满还需", "Disk full in")
DAY = Text("天", "days")
WHY_SO = Text("依据", "Because")
STORE_SIZE = Text("当前库容", "Database")
GROWTH_A_DAY = Text("日增长", "Growth a day")
DISK_SIZE = Text("磁盘大小", "Disk")
GROWING = Text("持续增长", "it grows")
NOT_GROWING = Text("没有增长", "it does not grow")
DISK_FULL = Text("已写满", "it is full")
TOO_YOUNG = Text("测量不足一周", "measured for less than a week")
NOT_MEASURED = Text("两天未测量", "not measured for 2 d")
DISK_UNKNOWN = Text("磁盘大小未登记", "size of the disk not said")
NEWEST_COMMIT = Text("最近入库", "newest")
PARTITIONS = Text("分区数", "partitions")
SLOWEST_PARTITION = Text("最慢分区", "slowest")
P50 = Text("中位", "p50")
P99 = Text("p99", "p99")
MEASURED_TO_RECEIVED = Text("测量→采集", "to collector")
RECEIVED_TO_STORED = Text("采集→入库", "to database")
PARTITION = Text("分区", "Partition")
OFFSET = Text("下一偏移", "Next offset")
STANDS_FOR = Text("停滞时长", "Stands for")
WHY_IT_STANDS = Text("停滞原因", "Why it stands")
DEVICES = Text("设备", "Devices")
NEWEST = Text("最新读数", "Newest")
OLDEST = Text("最旧设备", "Oldest device")
SKEW_MEDIAN = Text("到达时差中位", "Arrival − device")
AHEAD_MAX = Text("时钟最多超前", "Clock ahead by")
ARRIVED_AT = Text("到达时间", "Arrived")
DEVICE = Text("设备", "Device")
DETAIL = Text("说明", "Detail")
FROM_OFFSET = Text("起始偏移", "From offset")
TO_OFFSET = Text("结束偏移", "To offset")
WHAT = Text("原因", "What")
NO_LOSS = Text("没有缺失", "nothing was lost")
FIELD = Text("字段", "Field")
TIMES = Text("次数", "Times")
VALUE_SENT = Text("最近原值", "Sent last")
LAST_AT = Text("最近", "Last")
FIRST_AT = Text("最早", "First")
UNKNOWN_FIELDS = Text("（未知字段合计）", "(all unknown fields)")
ASIDE_REASON = {
    AsideReason.OUT_OF_RANGE: Text("超出量程", "out of range"),
    AsideReason.WRONG_TYPE: Text("类型不符", "wrong type"),
    AsideReason.UNKNOWN_FIELD: Text("未知字段", "unknown field"),
    AsideReason.BAD_QUALITY: Text("设备自称坏值", "bad by the device's word"),
}
