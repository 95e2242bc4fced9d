"""Local accounts of the page: who may sign in, what they may do, and of which sites they see the figures.

They stand in one file of mode 0600 beside the key that signs the sessions (decision 210). It is read again whenever it
has changed: a person who is taken out of it is signed out with the next thing the page reads.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import unicodedata
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from itsdangerous import BadSignature, URLSafeTimedSerializer
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from storage.alarm_tables.operator import VisibleSites

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHORTEST_PASSWORD = 12
"""Letters; NIST SP 800-63B asks for 8 at the least."""
LONGEST_NAME = 60
SESSION_H = 12.0
"""A shift and its handover; then one signs in again. (unsourced)"""
OTHERS = 0o077
"""What of a file's mode is not its owner's."""

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""Argon2id with the parameters of OWASP's password storage cheat sheet: 19 MiB, two passes."""
_NOBODYS = _hasher.hash(secrets.token_urlsafe(16))
"""Compared with where there is no such account, so that the time of an answer does not tell who has one."""


class AccountsError(Exception):
    """What is wrong with the accounts, and what helps, in one sentence."""


class SignedOutError(Exception):
    """Whoever asks is not, or no longer, signed in."""


class AccountRole(StrEnum):
    """What an account may do."""

    VIEWER = "viewer"
    """Look, search and export."""
    OPERATOR = "operator"
    """Deal with alarms too."""


class Account(BaseModel):
    """One person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """As it stands in the history of every alarm that this person dealt with."""
    role: AccountRole
    password_hash: str
    """Argon2id, with its parameters and salt."""
    sites: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
    """Sites and cities whose figures the account sees; with neither it sees all."""

    @property
    def bounds(self) -> VisibleSites | None:
        """What the account sees; None for everything."""
        return VisibleSites(list(self.sites), list(self.cities)) if self.sites or self.cities else None

    @property
    def stamp(self) -> str:
        """Changes with the password: sessions of before then end."""
        return hashlib.sha256(self.password_hash.encode()).hexdigest()[:16]


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, Field(min_length=32)]
    """Signs the sessions."""
    accounts: tuple[Account, ...] = ()


class _Seen(NamedTuple):
    """By what a file is known to be the one that was read."""

    inode: int
    size: int
    changed_ns: int


class Accounts:
    """The accounts of a file."""

    def __init__(self, path: Path, *, session_h: float = SESSION_H) -> None:
        """Read them. Raises AccountsError where there are none, or where others may read the file."""
        self._path = path
        self._session_s = session_h * 3600
        self._seen: _Seen | None = None
        self._content = _Content(key="x" * 32)
        self.read()

    def read(self) -> tuple[Account, ...]:
        """Return the accounts as the file has them now. Raises AccountsError."""
        try:
            status = self._path.stat()
        except OSError as error:
            msg = f"accounts file {self._path}: {error.strerror}; make the first account with `fenhe user add NAME`"
            raise AccountsError(msg) from None
        if status.st_mode & OTHERS:
            msg = f"accounts file {self._path} may be read by others than its owner: chmod 600 {self._path}"
            raise AccountsError(msg)
        seen = _Seen(status.st_ino, status.st_size, status.st_mtime_ns)
        if seen != self._seen:
            self._content = _read(self._path)
            self._seen = seen
        if not self._content.accounts:
            msg = f"accounts file {self._path} has no accounts: make the first one with `fenhe user add NAME`"
            raise AccountsError(msg)
        return self._content.accounts

    def find(self, name: str) -> Account | None:
        """The account of a name, however its letters are written; None where there is none."""
        wanted = _folded(name)
        return next((each for each in self.read() if _folded(each.name) == wanted), None)

    def check(self, name: str, password: str) -> Account | None:
        """The account, if the password is its. Takes as long for a name that has none (about 20 ms)."""
        account = self.find(name)
        try:
            _hasher.verify(account.password_hash if account else _NOBODYS, password)
        except (Argon2Error, InvalidHashError):
            return None
        return account

    def open(self, account: Account) -> SignedIn:
        """Begin a session."""
        return SignedIn(self, self._signer.dumps([account.name, account.stamp]))

    @property
    def session_s(self) -> float:
        """How long a session lasts."""
        return self._session_s

    def account_of(self, token: str) -> Account:
        """Whose session it is. Raises SignedOutError: it is over, or the account is gone or has a new password."""
        try:
            self.read()
            name, stamp = self._signer.loads(token, max_age=int(self._session_s))
            account = self.find(name)
        except (BadSignature, AccountsError, ValueError, TypeError, AttributeError) as error:
            raise SignedOutError from error
        if account is None or not secrets.compare_digest(account.stamp, str(stamp)):
            raise SignedOutError
        return account

    @property
    def _signer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            self._content.key, salt="fenhe session", signer_kwargs={"digest_method": hashlib.sha256}
        )


class SignedIn(NamedTuple):
    """A signed-in browser."""

    accounts: Accounts
    token: str

    def account(self) -> Account:
        """Whose it is, as the accounts stand now. Raises SignedOutError."""
        return self.accounts.account_of(self.token)


def check_name(name: str) -> str:
    """Return a name that can stand in an alarm's history. Raises AccountsError."""
    name = unicodedata.normalize("NFKC", name).strip()
    visible = all(each.isalnum() or each in " .-_@'" for each in name) and "  " not in name
    if not name or not visible or len(name) > LONGEST_NAME or _folded(name) == "fenhe":
        msg = (
            f"the name {name!r} cannot be used: at most {LONGEST_NAME} letters, digits, spaces and . - _ @ ', not fenhe"
        )
        raise AccountsError(msg)
    return name


def hash_of(password: str) -> str:
    """Return what is kept of a password. Raises AccountsError where it is too short."""
    if len(password) < SHORTEST_PASSWORD:
        msg = f"a password has at least {SHORTEST_PASSWORD} letters: a sentence is easy to keep in mind"
        raise AccountsError(msg)
    return _hasher.hash(password)


@contextmanager
def changed(path: Path) -> Iterator[dict[str, Account]]:
    """Change the accounts of a file, by folded name: written whole, or not at all where the block fails.

    The file is made where there is none, with a key of its own. Raises AccountsError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (path.parent / f".{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two commands at once would each forget the other's account
            content = _read(path) if path.exists() else _Content(key=secrets.token_urlsafe(32))
            accounts = {_folded(each.name): each for each in content.accounts}
            yield accounts
            _write(path, _Content(key=content.key, accounts=tuple(accounts.values())))
    except OSError as error:
        msg = f"accounts file {path}: {error.strerror}"
        raise AccountsError(msg) from None


def key_of(name: str) -> str:
    """Under which an account stands among those of `changed`."""
    return _folded(name)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _read(path: Path) -> _Content:
    try:
        return _Content.model_validate_json(path.read_bytes())
    except ValidationError:
        msg = f"accounts file {path} is not one that `fenhe user` wrote: restore it, or move it away and begin anew"
        raise AccountsError(msg) from None


def _write(path: Path, content: _Content) -> None:
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content.model_dump_json(indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
