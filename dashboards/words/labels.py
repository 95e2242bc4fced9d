"""The catalogue: every short word on a page, in Chinese and English. Explanations of panels stand beside their SQL."""

from __future__ import annotations

from schemas.kafka.quarantine import Reason
from schemas.kinds import described
from schemas.metrics import Quality
from schemas.readings import Kind
from schemas.registered.sectors import sectors
from schemas.registry import Role
from schemas.words import Text

# What is said of any value.
UNKNOWN = Text("未知", "unknown")
NEVER = Text("从未", "never")
NONE = Text("无", "none")
NOT_REGISTERED = Text("未登记", "not registered")
NOT_SENT = Text("未上报", "not sent")
NOT_MEASURED = Text("未测", "not measured")
NOT_ON_THE_MAP = Text("不在图上", "not on the map")
YES = Text("是", "yes")
NO = Text("否", "no")
SHARE = Text("占比", "Share")
WHOLE_SITE = Text("整站", "whole site")

# State of a device: a mark beside the word, so that colour is never the only signal.
LIVE = Text("● 在线", "● live")
STALE = Text("✕ 中断", "✕ silent")
NEVER_SEEN = Text("○ 从未上报", "○ never seen")

QUALITY = {
    Quality.GOOD: Text("● 良好", "● good"),
    Quality.PARTIAL: Text("◐ 部分", "◐ partial"),
    Quality.ESTIMATED: Text("◇ 估算", "◇ estimated"),
    Quality.UNKNOWN: Text("○ 未知", "○ unknown"),
}
KIND = {kind: described(kind).name for kind in Kind}
ROLE = {
    Role.CONSUMED: Text("计入", "consumed"),
    Role.EXPORTED: Text("外送", "exported"),
    Role.PRODUCT: Text("产品", "product"),
    Role.INTERNAL: Text("内部", "internal"),
    Role.REUSED: Text("回用", "reused"),
    Role.STORED: Text("入池", "stored"),
    Role.DRAWN: Text("出池", "drawn"),
}
SECTOR = {key: Text(words.name_zh, words.name) for key, words in sectors().items()}
REASON = {
    Reason.MALFORMED: Text("无法解析", "malformed"),
    Reason.SCHEMA: Text("字段不符", "schema"),
    Reason.UNKNOWN_DEVICE: Text("未登记设备", "unknown device"),
    Reason.IDENTITY_MISMATCH: Text("身份不一致", "identity mismatch"),
    Reason.OUT_OF_RANGE: Text("超出量程", "out of range"),
    Reason.CLOCK_AHEAD: Text("时钟超前", "clock ahead"),
    Reason.CLOCK_BEHIND: Text("时钟滞后", "clock behind"),
    Reason.TOO_LARGE: Text("报文过大", "too large"),
    Reason.RETAINED: Text("保留消息", "retained"),
    Reason.UNSUPPORTED_VERSION: Text("版本不支持", "unsupported version"),
    Reason.CONFLICT: Text("与已存读数冲突", "conflict"),
    Reason.STORAGE_REJECTED: Text("入库被拒", "storage rejected"),
}
CITY = {
    "太原": "Taiyuan",
    "大同": "Datong",
    "阳泉": "Yangquan",
    "长治": "Changzhi",
    "晋城": "Jincheng",
    "朔州": "Shuozhou",
    "晋中": "Jinzhong",
    "运城": "Yuncheng",
    "忻州": "Xinzhou",
    "临汾": "Linfen",
    "吕梁": "Lüliang",
}
"""The province's cities are Chinese names; the English pages show their usual romanisation."""

# Columns.
SITE = Text("站点", "Site")
PLANT = Text("企业", "Plant")
CITY_COLUMN = Text("城市", "City")
SECTOR_COLUMN = Text("行业", "Sector")
METER = Text("表计", "Meter")
KIND_COLUMN = Text("类别", "Kind")
ROLE_COLUMN = Text("计量角色", "Role")
STATE = Text("状态", "State")
AGE = Text("距今", "Age")
TOTAL = Text("表底", "Register")
UNIT = Text("单位", "Unit")
RATE = Text("瞬时值", "Rate now")
COVERAGE = Text("覆盖率", "Coverage")
QUALITY_COLUMN = Text("质量", "Quality")
QUALITY_15_MIN = Text("15 分钟", "15 min")
QUALITY_1_H = Text("1 小时", "1 h")
ROLLING_15_MIN = Text("15 分钟滚动", "rolling 15 min")
ROLLING_1_H = Text("1 小时滚动", "rolling 1 h")
ENERGY_PER_PRODUCT = Text("单位能耗", "Energy/product")
WATER_PER_PRODUCT = Text("单位取水 m³", "Water/product, m³")
PER_UNIT = Text("产品单位", "Product unit")
SET = Text("电池组", "Set")
REGISTERED = Text("已登记", "registered")
REPORTING = Text("在线上报", "reporting")
SILENT = Text("中断", "silent")
MAINS_FAILED = Text("市电中断站点", "without mains")
DISCHARGING = Text("正在放电组", "sets discharging")
POWER_SILENT = Text("电源状态未知站点", "sites not known")
OUTAGES_SHORT = Text("停电", "Outages")
DISCHARGING_SHORT = Text("放电", "Discharging")
SPREAD_MEDIAN = Text("压差中位", "Spread p50")
SPREAD_MAX = Text("最大压差", "Spread max")
TEMPERATURE_MAX = Text("最高温度", "T max")
SPREAD = Text("单体压差", "Cell spread")
WORST_CELL = Text("最差单体", "Worst cell")
RISE = Text("温升", "Rise")
RATE_C_MIN = Text("升温速率", "dT/dt")
PACK_VOLTAGE = Text("总压", "Pack")
CURRENT = Text("电流", "Current")
DC_VOLTAGE = Text("直流电压", "DC bus")
DC_LOAD = Text("负载电流", "Load")
SOC_BMS = Text("SoC（BMS 声称）", "SoC (BMS says)")
SOH_BMS = Text("SoH（BMS 声称）", "SoH (BMS says)")
SOC_BMS_MIN = Text("最低 SoC（BMS 声称）", "Lowest SoC (BMS says)")
ENERGY_IN = Text("充入", "in")
ENERGY_OUT = Text("放出", "out")
SETS = Text("组数", "sets")
AGE_CLASS = Text("距最近读数", "age of newest reading")
RECEIVED = Text("收到", "received")
STORED = Text("入库", "stored")
DUPLICATE = Text("重复", "duplicate")
QUARANTINED = Text("隔离", "quarantined")
CLOSED = Text("账平", "books")
LOST = Text("日志缺失", "log losses")
REASON_COLUMN = Text("原因", "Reason")
MESSAGES = Text("条数", "messages")
BOOKS_CLOSED = Text("✓ 平", "✓ closed")
BOOKS_OPEN = Text("✕ 不平", "✕ open")

# Names of dashboards, variables and shared panels.
DASHBOARDS = Text("看板", "Dashboards")
PLANT_ENERGY = Text("能耗", "Plant energy")
BATTERY_FLEET = Text("电池总览", "Battery fleet")
ALL = Text("全部", "All")
BOOKS = Text("数据账：收到 = 入库 + 重复 + 隔离", "Books: received = stored + duplicate + quarantined")
QUARANTINE_BY_REASON = Text("隔离原因", "Quarantine by reason")

# The preview's own controls.
SEARCH = Text("搜索企业、表计、电池组（/）", "Search plants, meters, sets (/)")
NOTHING_FOUND = Text("没有找到", "nothing found")
TIME_RANGE = Text("时间范围", "Time range")
REFRESH = Text("刷新", "Refresh")
OFF = Text("暂停", "off")
LAST = {
    "now-15m": Text("最近 15 分钟", "Last 15 minutes"),
    "now-1h": Text("最近 1 小时", "Last hour"),
    "now-6h": Text("最近 6 小时", "Last 6 hours"),
    "now-24h": Text("最近 24 小时", "Last 24 hours"),
    "now-7d": Text("最近 7 天", "Last 7 days"),
    "now-14d": Text("最近 14 天", "Last 14 days"),
    "now-30d": Text("最近 30 天", "Last 30 days"),
    "now-365d": Text("最近一年", "Last year"),
}
LAST_SO_MANY = {
    "s": Text("最近 {} 秒", "Last {} seconds"),
    "m": Text("最近 {} 分钟", "Last {} minutes"),
    "h": Text("最近 {} 小时", "Last {} hours"),
    "d": Text("最近 {} 天", "Last {} days"),
}
THEME = Text("明暗", "Light or dark")
KIOSK = Text("大屏模式", "Panels only, for a screen on the wall")
TIME = Text("时间", "Time")
EXPORT = Text("下载本面板数据", "This panel's data as")
SKIP = Text("跳到内容", "Skip to the content")
PICTURE = Text("本图存为图片", "This chart as a picture")
UPDATED = Text("更新于", "updated")
LOADING = Text("读取中…", "loading…")
NO_SET_REPORTS = Text("没有在线上报的电池组", "no set reports")
PAGE_SERVER_LOST = Text(
    "与页面服务的连接已断开，以下数字不再更新；正在重新连接。",
    "The page's server is lost: the figures below are no longer updated. Connecting again.",
)
DATABASE_AWAY = Text(
    "数据库连接不上，页面上是断开前的数值，将自动重试。",
    "The database cannot be reached: figures on this page are from before. Retrying by itself.",
)
NOT_MIGRATED = Text(
    "数据库还没有 fenhe 的表：请先运行 fenhe migrate。", "The database has no fenhe tables yet: run fenhe migrate."
)
NOTHING_TO_CHOOSE = Text(
    "没有登记可供本页选择的“{choice}”：登记后会自动出现数据。",
    "Nothing is registered for this page under “{choice}”: it fills by itself when something is.",
)
UNKNOWN_VALUE = Text("没有登记", "is not registered")
QUERY_FAILED = Text("查询失败", "query failed")
QUERY_SLOW = Text("查询超时", "query timed out")
NO_SUCH_DASHBOARD = Text("没有这个看板", "There is no such dashboard")
