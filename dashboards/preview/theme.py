"""Colours of the page, dark and light; every pair of text and ground has a contrast of 4.5 or more."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FONT = '"Inter", "Segoe UI", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif'


class Theme(StrEnum):
    """Dark for a control room, light for a desk."""

    DARK = "dark"
    LIGHT = "light"

    @property
    def other(self) -> Theme:
        """The one to switch to."""
        return Theme.LIGHT if self is Theme.DARK else Theme.DARK

    @property
    def colors(self) -> Colors:
        """Its colours."""
        return _DARK if self is Theme.DARK else _LIGHT


@dataclass(frozen=True, slots=True)
class Colors:
    """One theme's colours."""

    page: str
    panel: str
    border: str
    text: str
    faint: str
    grid: str
    track: str
    heat_scale: tuple[str, ...]
    """Colours of a heat map from little to much: what is much stands out from the page, as in Grafana."""
    accents: dict[str, str]
    """Accents of the definitions (made for charts on either ground) that text wants lighter or darker."""

    def ink(self, color: str) -> str:
        """CSS colour for text in a definition's colour."""
        return self.text if color == "text" else self.accents.get(color, color)

    def css(self, color: str) -> str:
        """CSS colour for text in HTML: `ink` on a screen; on paper, which is white, that of the light theme."""
        if color == "text":
            return "var(--text)"
        return f"var(--ink-{color[1:]},{self.ink(color)})" if color in self.accents else self.ink(color)

    def fill(self, color: str) -> str:
        """CSS colour for an area or a line."""
        return self.text if color == "text" else color


_HEAT = ((0xE3, 0xEE, 0xF9), (0x73, 0xA8, 0xD8), (0x08, 0x45, 0x94))


def heat(amount: float, low: float, high: float) -> str:
    """Colour of a value on the scale of blues, `#rrggbb`; outside of it the nearer end."""
    share = 0.0 if high <= low else min(1.0, max(0.0, (amount - low) / (high - low)))
    first, second = (_HEAT[0], _HEAT[1]) if share < 0.5 else (_HEAT[1], _HEAT[2])  # noqa: PLR2004 - the middle
    part = share * 2 - (0 if first is _HEAT[0] else 1)
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(first, second, strict=True))


_BLUES = tuple(heat(share, 0, 1) for share in (0, 0.25, 0.5, 0.75, 1))


def ink_on(ground: str) -> str:
    """Black or white, whichever reads better on a `#rrggbb` ground (by its WCAG relative luminance)."""
    channels = [int(ground[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)  # noqa: PLR2004 - sRGB
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#10141b" if luminance > 0.18 else "#ffffff"  # noqa: PLR2004 - where both contrasts are equal


_DARK = Colors(
    page="#10141b",
    panel="#181d26",
    border="#262d39",
    text="#e4e8ef",
    faint="#98a2b3",
    grid="#262d39",
    track="#2a3240",
    heat_scale=_BLUES[::-1],
    accents={
        "#2f9e6e": "#43bd88",
        "#d08a12": "#eba731",
        "#7d71e8": "#a79dff",
        "#dd4f4a": "#ff7b75",
        "#858f9f": "#98a2b3",
    },
)
_LIGHT = Colors(
    page="#eef1f5",
    panel="#ffffff",
    border="#d9dfe8",
    text="#1b2330",
    faint="#5b6678",
    grid="#e5e9f0",
    track="#e1e6ee",
    heat_scale=_BLUES,
    accents={
        "#2f9e6e": "#187a50",
        "#d08a12": "#95600a",
        "#7d71e8": "#5b4dd0",
        "#dd4f4a": "#c1332e",
        "#858f9f": "#5b6678",
    },
)
