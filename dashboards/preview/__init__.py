"""The local preview: the built dashboards in a web page, their SQL run as the read-only role. No internet needed."""

from dashboards.preview.server import serve

__all__ = ["serve"]
