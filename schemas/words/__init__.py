"""Words people read, in Chinese and English: the same word for the same thing on a page, on a phone and in a report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Language(StrEnum):
    """A language of pages and messages."""

    ZH = "zh"
    EN = "en"

    @property
    def endonym(self) -> str:
        """The language's name in itself, for the switch between them."""
        return {Language.ZH: "中文", Language.EN: "English"}[self]

    @property
    def name_column(self) -> str:
        """Column of `site` and `device` that holds a name in this language."""
        return {Language.ZH: "name_zh", Language.EN: "name"}[self]


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages; call it with a language. A text without one of them cannot be written."""

    zh: str
    en: str

    def __call__(self, language: Language) -> str:
        """Return the text in `language`."""
        return self.zh if language is Language.ZH else self.en
