"""`fenhe alarms kinds`: what each kind of alarm means, how sure it is, what to check first, what usually causes it."""

from __future__ import annotations

from typing import Annotated

import typer

from schemas.words import Language, Text
from schemas.words.alarms import GUIDES

TITLE = Text("告警类型", "Kinds of alarm")
INTRODUCTION = Text(
    "本页由 `fenhe alarms kinds` 从 `schemas/words/plant_guides.py` 和 `battery_guides.py` 生成；"
    "告警页和通知使用同样的文字。",
    "Written by `fenhe alarms kinds --language en` from `schemas/words/plant_guides.py` and `battery_guides.py`;"
    " the page of an alarm and its message use the same words.",
)


def document(language: Language) -> str:
    """All kinds, as Markdown."""
    lines = [f"# {TITLE(language)}", "", INTRODUCTION(language)]
    for kind, guide in GUIDES.items():
        lines += ["", f"## {guide.name(language)} `{kind}`", ""]
        lines += [f"- **{title(language)}** {text(language)}" for title, text in guide.parts]
    return "\n".join(lines) + "\n"


def alarm_kinds(language: Annotated[Language, typer.Option(help="Language: zh or en.")] = Language.ZH) -> None:
    """Print what each kind of alarm means and what to do, as Markdown."""
    typer.echo(document(language), nl=False)
