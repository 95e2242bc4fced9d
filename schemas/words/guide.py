"""What an operator is told of a kind of alarm: the form that all guides have."""

from __future__ import annotations

from typing import NamedTuple

from schemas.words import Text


class Guide(NamedTuple):
    """What an operator is told of one kind of alarm."""

    name: Text
    meaning: Text
    """What was seen, in a sentence."""
    certainty: Text
    """How sure it is, and what else looks like it."""
    check_first: Text
    usual_causes: Text

    @property
    def parts(self) -> list[tuple[Text, Text]]:
        """Every part with its heading, in the order of reading."""
        return [
            (Text("含义", "It means"), self.meaning),
            (Text("把握", "How sure"), self.certainty),
            (Text("先查", "Check first"), self.check_first),
            (Text("常见原因", "Usual causes"), self.usual_causes),
        ]
