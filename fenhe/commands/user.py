"""`fenhe user …`: accounts of the page, in the file that FENHE_ACCOUNTS_FILE names."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fenhe.clear_errors import PlainError, clear_errors
from fenhe.listing import Listing
from schemas.settings import AccountsSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dashboards.preview.access.accounts import Account

app = typer.Typer(no_args_is_help=True, help="Accounts of the page: who may sign in, and what they see and do.")

NameArgument = Annotated[str, typer.Argument(help="The person's name, as it is to stand in alarms' histories.")]
RoleName = Literal["viewer", "operator"]
SitesOption = Annotated[list[str] | None, typer.Option("--site", help="Sees this site; may stand several times.")]
CitiesOption = Annotated[list[str] | None, typer.Option("--city", help="Sees all sites of this city.")]


@contextlib.contextmanager
def _file() -> Iterator[Path]:
    """Where the accounts are; what is wrong with them is said in a sentence."""
    from dashboards.preview.access.accounts import AccountsError

    with clear_errors():
        settings = AccountsSettings()
    try:
        yield settings.accounts_file
    except AccountsError as error:
        raise PlainError(str(error)) from None


def _password() -> str:
    """Ask twice; where nobody is at the keyboard, take the first line that comes in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("password", hide_input=True, confirmation_prompt=True))


def _known(accounts: dict[str, Account], name: str) -> Account:
    from dashboards.preview.access.accounts import AccountsError, key_of

    account = accounts.get(key_of(name))
    if account is None:
        msg = f"there is no account {name!r}: see `fenhe user list`"
        raise AccountsError(msg)
    return account


@app.command()
def add(
    name: NameArgument,
    role: Annotated[RoleName, typer.Option(help="A viewer looks; an operator deals with alarms too.")] = "viewer",
    site: SitesOption = None,
    city: CitiesOption = None,
) -> None:
    """Make an account. Without --site and --city it sees everything. Asks for a password, or reads it from a pipe."""
    from dashboards.preview.access.accounts import (
        Account,
        AccountRole,
        AccountsError,
        changed,
        check_name,
        hash_of,
        key_of,
    )

    with _file() as path:
        name = check_name(name)
        password_hash = hash_of(_password())
        sites, cities = tuple(site or ()), tuple(city or ())
        account = Account(name=name, role=AccountRole(role), password_hash=password_hash, sites=sites, cities=cities)
        with changed(path) as accounts:
            if key_of(name) in accounts:
                msg = f"there is an account {name!r} already: `fenhe user password`, `change` or `remove`"
                raise AccountsError(msg)
            accounts[key_of(name)] = account
    typer.echo(f"{name}: {role}")


@app.command()
def password(name: NameArgument) -> None:
    """Give an account a new password; who is signed in with the old one is signed out."""
    from dashboards.preview.access.accounts import changed, hash_of, key_of

    with _file() as path:
        password_hash = hash_of(_password())
        with changed(path) as accounts:
            account = _known(accounts, name)
            accounts[key_of(name)] = account.model_copy(update={"password_hash": password_hash})
    typer.echo(f"{account.name}: new password")


@app.command()
def change(
    name: NameArgument,
    role: Annotated[RoleName | None, typer.Option(help="The new role; none: as it is.")] = None,
    site: SitesOption = None,
    city: CitiesOption = None,
    *,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="Sees everything from now on.")] = False,
) -> None:
    """Change an account's role, or what it sees; it holds at once, for who is signed in too."""
    from dashboards.preview.access.accounts import AccountRole, changed, key_of

    with _file() as path, changed(path) as accounts:
        account = _known(accounts, name)
        given: dict[str, object] = {} if role is None else {"role": AccountRole(role)}
        if site or city or everywhere:
            given |= {"sites": tuple(site or ()), "cities": tuple(city or ())}
        accounts[key_of(name)] = account = account.model_copy(update=given)
    typer.echo(f"{account.name}: {account.role}, sees {_sees(account)}")


@app.command()
def remove(name: NameArgument) -> None:
    """Take an account away; who is signed in with it is signed out."""
    from dashboards.preview.access.accounts import changed, key_of

    with _file() as path, changed(path) as accounts:
        account = _known(accounts, name)
        del accounts[key_of(name)]
    typer.echo(f"{account.name}: removed")


@app.command("list")
def list_accounts() -> None:
    """List the accounts."""
    from dashboards.preview.access.accounts import Accounts

    table = Listing("name", "role", "sees")
    with _file() as path:
        for account in Accounts(path).read():
            table.add_row(account.name, str(account.role), _sees(account))
    table.print()


def _sees(account: Account) -> str:
    return ", ".join((*account.cities, *account.sites)) or "everything"
