"""Sending by Apprise: DingTalk with signing, WeCom, Feishu, e-mail, webhooks, by url."""

from __future__ import annotations

from typing import TYPE_CHECKING

import apprise

if TYPE_CHECKING:
    from schemas.notifications import Channel

TIMEOUTS = "cto=5&rto=20"
"""Seconds to connect and to wait for an answer; together well below a message's lease."""


def send(channel: Channel, title: str, body: str) -> str | None:
    """Send one message; returns what went wrong, without secrets, or None."""
    address = channel.address
    if not address:
        return f"channel {channel.name}: a variable of its url is not set"
    sender = apprise.Apprise()
    if not sender.add(f"{address}{'&' if '?' in address else '?'}{TIMEOUTS}"):
        return f"channel {channel.name}: its url is none that Apprise knows"
    capture = apprise.LogCapture(level=apprise.logging.WARNING, fmt="%(message)s")  # type: ignore[no-untyped-call] # its own
    with capture as said:
        if sender.notify(title=title, body=body):
            return None
        words = said.getvalue().strip().splitlines()
    return f"channel {channel.name} did not take it: {words[0][:200] if words else 'no reason given'}"
