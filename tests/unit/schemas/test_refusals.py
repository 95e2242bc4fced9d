"""What is said of a refused message is said in both languages, from one source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingest.judgement import judge
from schemas.kafka.quarantine import ahead_detail, ahead_ms_of
from schemas.words import Language, refusals, refused

ROOT = Path(__file__).parents[3]
NOW_TS = 1_772_323_200_000
NAMES = {"ts", "kind", "fuel", "fenhe", "ms", "true", "false", "null"}
"""The same in both languages, as is what has a digit, a capital or an underscore."""
TOPIC = "fenhe/v1/COKE1/electricity/COKE1-E1"


def english_in(said: str) -> list[str]:
    """Words of English in a Chinese text: no name, and nothing that stands in quotes because a device sent it."""
    bare = re.sub(r"'[^']*'|[0-9a-f]{64}", "", said)
    return [word for word in re.findall(r"\b[a-z]+\b", bare) if word not in NAMES]


@pytest.mark.parametrize("sentence", refusals.sentences(), ids=lambda sentence: sentence.text.en[:40])
def test_a_sentence_is_put_into_chinese_with_its_parts(sentence: refusals.Sentence) -> None:
    """Each part is in both, and the Chinese has no English but names."""
    names = re.findall(r"(?<!\{)\{(\w+)\}", sentence.text.en)
    parts = {name: 41 + at for at, name in enumerate(names)}
    assert sorted(names) == sorted(re.findall(r"(?<!\{)\{(\w+)\}", sentence.text.zh))
    assert refused.in_language(sentence(**parts), Language.ZH) == sentence.text.zh.format(**parts)
    assert not english_in(sentence.text.zh.format(**parts))


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("fenhe/v2/COKE1/electricity/COKE1-E1", b"{}"),
        ("plant/COKE1", b"{}"),
        ("fenhe/v1/CO KE/electricity/COKE1-E1", b"{}"),
        ("fenhe/v1/COKE1/heating/COKE1-E1", b"{}"),
        (TOPIC, b""),
        (TOPIC, b"\xff\xfe"),
        (TOPIC, b'{"ts": 1'),
        (TOPIC, b'{"ts": 1772323200000,}'),
        (TOPIC, b'{"ts": 1772323200000, "power_kw": 5} x'),
        (TOPIC, b"[" * 500),
        (TOPIC, b"[]"),
        (TOPIC, b"[1, 2"),
        (TOPIC, b"17"),
        (TOPIC, b"{}"),
        (TOPIC, b'{"ts": "2026-02-30T08:00:00Z"}'),
        (TOPIC, b'{"ts": "2026-02-20T28:00:00Z"}'),
        (TOPIC, b'{"ts": "2026-02-20T08:00:00+30:00"}'),
        (TOPIC, b'{"ts": "2026-02-20T08:00:00"}'),
        (TOPIC, b'{"ts": "2026-02-20T08:00:60Z"}'),
        (TOPIC, b'{"ts": "yesterday"}'),
        (TOPIC, b'{"ts": 1.5}'),
        (TOPIC, b'{"ts": null}'),
        (TOPIC, b'{"ts": 1772323200, "power_kw": 5}'),
        (TOPIC, b'{"ts": 1772323200000000, "power_kw": 5}'),
        (TOPIC, b'{"ts": 1772323200000000000, "power_kw": 5}'),
        (TOPIC, b'{"ts": 1772333200000, "power_kw": 5}'),
        (TOPIC, b'{"ts": 9' + b"0" * 40 + b', "power_kw": 5}'),
        (TOPIC, b'{"ts": 1772323200000, "ts": 1772323200001}'),
        (TOPIC, b'{"ts": 1772323200000, "site_id": "SODA1", "power_kw": 5}'),
        (TOPIC, b'{"ts": 1772323200000, "site_id": "SODA 1", "power_kw": 5}'),
        (TOPIC, b'{"ts": 1772323200000, "kind": "power", "power_kw": 5}'),
        (TOPIC, b'{"ts": 1772323200000, "Energy": 5}'),
        (TOPIC, b'{"ts": 1772323200000, "Energy": 5, "Power": 6}'),
        (TOPIC, b'{"ts": 1772323200000, "voltage_v": [230]}'),
        (TOPIC, b'{"ts": 1772323200000, "voltage_v": [230, 230, 230, 230]}'),
        (TOPIC, b'[{"ts": 1772323200000, "power_kw": 5}, {"ts": "x"}, 17]'),
        (TOPIC, b"[" + b",".join([b'{"ts": "x"}'] * 200) + b"]"),
        ("fenhe/v1/GANGUE1/lab/GANGUE1-L", b'{"ts": 1772323200000, "fuel": "gangue"}'),
        (
            "fenhe/v1/GANGUE1/lab/GANGUE1-L",
            b'{"ts": 1772323200000, "sample_from": -1, "sample_to": 1772323000000, "fuel": "gangue"}',
        ),
        (
            "fenhe/v1/GANGUE1/lab/GANGUE1-L",
            b'{"ts": 1772323200000, "sample_from": 1772323000000, "sample_to": 1772323000000, "fuel": "%b"}'
            % (b"g" * 65),
        ),
        (
            "fenhe/v1/GANGUE1/lab/GANGUE1-L",
            b'{"ts": 1772323200000, "fuel": "gangue", "sample_from": 1772323100000, "sample_to": 1772323000000}',
        ),
    ],
)
def test_what_a_device_can_do_wrong_is_said_in_chinese(topic: str, payload: bytes) -> None:
    """Nothing of it keeps English words."""
    items = judge(topic, payload, NOW_TS, max_bytes=200_000).quarantined
    assert items
    said = [refused.in_language(item.detail, Language.ZH) for item in items]
    assert not [(item.detail, text) for item, text in zip(items, said, strict=True) if english_in(text)]


def test_what_is_too_large_and_what_is_retained_is_said_in_chinese() -> None:
    """Both are judged before anything is read."""
    large, retained = (
        judge(TOPIC, b'{"ts": 1}', NOW_TS, max_bytes=size, retained=True).quarantined[0] for size in (4, 400)
    )
    assert not english_in(refused.in_language(large.detail, Language.ZH))
    assert not english_in(refused.in_language(retained.detail, Language.ZH))


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("value out of range: underflow", "原文：value out of range: underflow"),
        ("ts: Input should be odd (and 2 more)", "原文：ts: Input should be odd（另有 2 处）"),
        ("a table that cannot be read: Invalid flag", "数据表无法读取：原文：Invalid flag"),
        ("is missing a column", "原文：is missing a column"),
        ("", ""),
    ],
)
def test_words_of_another_program_are_shown_as_what_they_are(detail: str, said: str) -> None:
    """A database's refusal has no Chinese; a page says that these are its own words, whatever stands around them."""
    assert refused.in_language(detail, Language.ZH) == said


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (
            b'{"ts": 1772323200000, "not a number": 1, "not a number": 2}',
            "同一对象中键 'not a number' 出现两次：以哪个为准？",
        ),
        (b'{"ts": 1772323200000, "is missing": 1}', "is missing: 该种类没有此字段，见报文格式"),
        (b'{"ts": 1772323200000, "x: not a text": 1}', "x: not a text: 该种类没有此字段，见报文格式"),
        (
            b'{"ts": 1, "x: the key y": 1, "x: the key y": 2}',
            "同一对象中键 'x: the key y' 出现两次：以哪个为准？",
        ),
    ],
)
def test_what_a_device_calls_its_fields_is_left_as_it_is(payload: bytes, said: str) -> None:
    """A name may be a sentence of ours."""
    (item,) = judge(TOPIC, payload, NOW_TS, max_bytes=200_000).quarantined
    assert refused.in_language(item.detail, Language.ZH) == said


def test_no_refusal_is_written_where_it_is_made() -> None:
    """A sentence that is not among those of `schemas/words/refusals.py` has no Chinese."""
    written = re.compile(r"""(Refusal\(\s*Reason\.\w+,\s*|\brefuse\(\s*)f?["']""")
    sources = [path for folder in ("ingest", "streams", "schemas") for path in (ROOT / folder).rglob("*.py")]
    assert not [str(path) for path in sources if written.search(path.read_text(encoding="utf-8"))]


def test_how_far_a_clock_is_ahead_is_read_back() -> None:
    """The sentence that is stored is the one that is looked for."""
    assert ahead_ms_of(ahead_detail(412)) == 412_000
