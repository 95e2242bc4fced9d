"""Why a partition stands at a record: the worker's own sentences, in both languages.

English is what is stored in `stuck_partition` and logged; the Chinese page says the same. What another program says (a
database's error, most often) keeps its own words, and is said to.
"""

from __future__ import annotations

from schemas.words import Language, Text
from schemas.words.literal import case_of, quote
from schemas.words.refused import AS_IT_CAME

DISK_IS_FULL = Text(
    "数据库磁盘已满：读数在 Kafka 中等待，没有丢失，腾出空间后自动继续",
    "the database's disk is full: readings wait in Kafka, nothing is lost; it goes on when there is room",
)
NOT_DELIVERED = Text("此记录之前的记录尚未送达", "records before this one were not delivered")
UNDER_WAY = Text(
    "入库事务仍在进行：正在计算，或在排队、等待数据库的锁",
    "its transaction is still under way: it computes, or waits for its turn or for a lock in the database",
)
SENTENCES = (DISK_IS_FULL, NOT_DELIVERED, UNDER_WAY)


def sql_of(column: str, language: Language) -> str:
    """Return what is stored in `column` as an SQL expression in `language`; null stays null."""
    if language is Language.EN:
        return column
    return case_of(column, {said.en: said.zh for said in SENTENCES}, f"{quote(AS_IT_CAME.zh)} || {column}")
