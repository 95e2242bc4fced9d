"""Accounts of the page, and the sessions they open."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from dashboards.preview.access.accounts import (
    Account,
    AccountRole,
    Accounts,
    AccountsError,
    SignedOutError,
    changed,
    check_name,
    key_of,
)
from dashboards.preview.access.throttle import FREE, LONGEST_S, MOST_NAMES, Throttle
from fenhe.clear_errors import PlainError
from fenhe.cli import app
from fenhe.page import run_page

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "a sentence to keep"  # noqa: S105 - a test's


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with one operator, as the command writes it."""
    path = tmp_path / "kept" / "accounts.json"
    done = _fenhe(path, "add", "王强", "--role", "operator", "--city", "太原", given=PASSWORD)
    assert done == (0, "王强: operator\n")
    return path


def _fenhe(path: Path, *words: str, given: str = "") -> tuple[int, str]:
    environment = {"FENHE_ACCOUNTS_FILE": str(path)}
    done = CliRunner().invoke(app, ["user", *words], input=given + "\n", env=environment)
    return done.exit_code, done.output


def test_a_password_is_kept_as_its_hash_in_a_file_of_the_owners_alone(file: Path) -> None:
    """Mode 0600, argon2id, and nowhere the password."""
    assert file.stat().st_mode & 0o777 == 0o600
    text = file.read_text(encoding="utf-8")
    assert PASSWORD not in text
    assert "$argon2id$" in text
    accounts = Accounts(file)
    found = accounts.check("王强", PASSWORD)
    assert found is not None
    assert found.bounds is not None
    assert found.bounds.cities == ["太原"]
    assert accounts.check("王强", PASSWORD + "!") is None
    assert accounts.check("nobody", PASSWORD) is None


def test_a_file_that_others_may_read_is_refused(file: Path) -> None:
    """So is one that is not there, one without accounts, and one that is something else."""
    file.chmod(0o640)
    with pytest.raises(AccountsError, match="chmod 600"):
        Accounts(file)
    file.chmod(0o600)
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(AccountsError, match="not one that"):
        Accounts(file)
    file.unlink()
    with pytest.raises(AccountsError, match="fenhe user add"):
        Accounts(file)


def test_a_session_ends_with_its_account_and_with_its_password(file: Path) -> None:
    """At once, and another key's or a changed token is none; another role holds at once."""
    accounts = Accounts(file)
    account = accounts.find(" 王强 ")
    assert account is not None
    session = accounts.open(account)
    assert session.account() == account
    for token in ("", "x", ("A" if session.token[0] != "A" else "B") + session.token[1:]):
        with pytest.raises(SignedOutError):
            accounts.account_of(token)
    assert _fenhe(file, "change", "王强", "--role", "viewer", "--everywhere")[0] == 0
    assert session.account().role is AccountRole.VIEWER
    assert session.account().bounds is None
    assert _fenhe(file, "password", "王强", given=PASSWORD * 2)[0] == 0
    with pytest.raises(SignedOutError):
        session.account()
    new = accounts.check("王强", PASSWORD * 2)
    assert new is not None
    session = accounts.open(new)
    assert _fenhe(file, "add", "other", given=PASSWORD)[0] == 0
    assert _fenhe(file, "remove", "王强")[0] == 0
    with pytest.raises(SignedOutError):
        session.account()


def test_a_session_ends_after_its_hours(file: Path) -> None:
    """It is signed with the time it began."""
    accounts = Accounts(file, session_h=-1)
    account = accounts.find("王强")
    assert account is not None
    with pytest.raises(SignedOutError):
        accounts.open(account).account()


def test_commands_say_in_a_sentence_what_they_refuse(file: Path) -> None:
    """A name twice, a name that cannot be told apart or is fenhe's own, a short password, a stranger."""
    assert "already" in _fenhe(file, "add", "王强", given=PASSWORD)[1]
    assert "at least 12" in _fenhe(file, "add", "li", given="short")[1]
    assert "no account" in _fenhe(file, "remove", "li")[1]
    for name in ("fenhe", "Ｆenhe", "", "a\u200bb", "a\nb", "x" * 61):
        with pytest.raises(AccountsError):
            check_name(name)
    assert [line.split()[0] for line in _fenhe(file, "list")[1].splitlines() if "operator" in line] == ["王强"]


def test_what_fails_changes_nothing(file: Path) -> None:
    """The file is written whole or not at all."""
    before = file.read_bytes()
    with contextlib.suppress(LookupError), changed(file) as accounts:
        accounts[key_of("li")] = Account(name="li", role=AccountRole.VIEWER, password_hash="none")  # noqa: S106 - a test's
        raise LookupError
    assert file.read_bytes() == before


def test_the_page_is_not_opened_to_a_network_without_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """`fenhe preview --host 0.0.0.0` ends with a sentence that says what to do."""
    monkeypatch.setenv("FENHE_DB_READER_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.delenv("FENHE_ACCOUNTS_FILE", raising=False)
    with pytest.raises(PlainError, match=r"FENHE_ACCOUNTS_FILE .*`fenhe user add NAME"):
        run_page(host="0.0.0.0", port=1, browser=False, certificate=None, key=None)  # noqa: S104 - it is refused


def test_guesses_at_a_name_get_ever_rarer() -> None:
    """Five are free, then each waits twice as long, to five minutes; the right password and an hour forget them."""
    throttle, now_s, waits = Throttle(), 0.0, []
    for _ in range(FREE + 12):
        waits.append(throttle.wait_s("wang", now_s))
        now_s += waits[-1]
        throttle.failed("wang", now_s)
    assert waits[:FREE] == [0.0] * FREE
    assert waits[FREE : FREE + 3] == [1.0, 2.0, 4.0]
    assert waits[-1] == LONGEST_S
    assert throttle.wait_s("li", now_s) == 0
    assert throttle.wait_s("wang", now_s + 3600) == 0
    throttle.succeeded("wang")
    assert throttle.wait_s("wang", now_s) == 0


def test_made_up_names_do_not_make_a_guessed_one_forgotten() -> None:
    """The memory is bounded, and who was guessed at most is forgotten last."""
    throttle = Throttle()
    for _ in range(FREE):
        throttle.failed("wang", 0.0)
    for number in range(MOST_NAMES + 10):
        throttle._wrong[f"made up {number}"] = throttle._of("", 1.0)._replace(guesses=1)
    for number in range(3):
        throttle.failed(f"another {number}", 2.0)
    assert throttle.wait_s("wang", 0.0) > 0
