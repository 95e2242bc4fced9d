"""`fenhe preview`: the page, with sign-in where there are accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.preview import serve
from dashboards.preview.access.accounts import Accounts, AccountsError
from dashboards.preview.server import NobodyKnownError, Tls
from fenhe.clear_errors import PlainError, clear_errors
from schemas.settings import PreviewSettings

if TYPE_CHECKING:
    from pathlib import Path


def run_page(*, host: str, port: int, browser: bool, certificate: Path | None, key: Path | None) -> None:
    """Serve the page until SIGTERM. Raises PlainError where it cannot be served so."""
    with clear_errors():
        settings = PreviewSettings()
    if (certificate is None) != (key is None):
        msg = "--certificate and --key go together"
        raise PlainError(msg)
    try:
        accounts = (
            None if settings.accounts_file is None else Accounts(settings.accounts_file, session_h=settings.session_h)
        )
        serve(
            database_url=str(settings.db_reader_url),
            operator_url=None if settings.db_operator_url is None else str(settings.db_operator_url),
            host=host,
            port=port,
            open_browser=browser,
            accounts=accounts,
            tls=None if certificate is None or key is None else Tls(certificate, key),
        )
    except (AccountsError, NobodyKnownError) as error:
        raise PlainError(str(error)) from None
