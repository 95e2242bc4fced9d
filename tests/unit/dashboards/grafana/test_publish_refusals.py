"""What a Grafana may refuse, and what the publisher then says."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from dashboards.grafana import watch
from dashboards.grafana.api import Grafana
from dashboards.grafana.publish import IncompleteError, PublishedThing, PublishOutcome, publish
from dashboards.grafana.refusals import GrafanaError
from tests.support.grafana_contract import (
    EDITOR,
    RECORDED,
    RIGHTS,
    TOKEN,
    VIEWER,
    Answer,
    ContractGrafana,
    contract_grafana,
)
from tests.support.grafana_publishing import FIRST, SECOND, THINGS, WANTED, outcomes, publish_to


@pytest.mark.parametrize("right", sorted(RIGHTS - {"folders:read"}))  # has a test of its own
def test_a_missing_permission_is_named(right: str) -> None:
    """403: the message names the permission and the role that has it."""
    with contract_grafana(rights=RIGHTS - {right}) as server:
        if right.endswith("write"):
            rest = RIGHTS - {right}
            server.rights = RIGHTS
            publish_to(server)
            server.rights = rest
            server.folders["fenhe"]["title"] = "old"
            server.sources["fenhe-reader"]["url"] = "old"
            server.library["fenhe-books-zh"]["name"] = "old"
            server.dashboards.clear()
            server.rules.clear()
        with pytest.raises(GrafanaError, match=f"403: .*Permissions needed: {right}.*role"):
            publish_to(server)


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ({"html": True}, "a page instead of JSON"),
        ({"version": "10.4.2"}, "Grafana 10.4.2 is too old"),
        ({"version": "11.6.14"}, "Grafana 11.6.14 is too old: the dashboards need 12.3"),
        ({"slow_s": 30.0}, r"did not answer within 0.2 s \(GET /api/health\)"),
        ({"refuse": {"GET /api/folders/fenhe": Answer(500, {"message": "boom"})}}, "500: boom.*see its log"),
        (
            {"refuse": {"POST /api/folders": Answer(412, {"message": "A folder with the same name exists"})}},
            "412: A folder with the same name exists",
        ),
    ],
)
def test_a_refusal_says_what_to_do(mood: dict[str, object], said: str) -> None:
    """Every way Grafana can fail has its own words."""
    with contract_grafana(**mood) as server:
        slow = "slow_s" in mood
        with pytest.raises(GrafanaError, match=said):
            list(publish(Grafana(server.address, TOKEN, timeout_s=0.2 if slow else 5), WANTED, dry_run=False))


def test_a_wrong_token_is_said(grafana: ContractGrafana) -> None:
    """401 is about the token, and the token is not printed."""
    with pytest.raises(GrafanaError, match=r"401: Invalid API key.*expired or revoked") as caught:
        list(publish(Grafana(grafana.address, "glsa_wrong", timeout_s=5), WANTED, dry_run=True))
    assert "glsa_wrong" not in str(caught.value)


def test_what_was_made_another_way_is_a_conflict(grafana: ContractGrafana) -> None:
    """A rule that another tool provisions is not taken over in silence."""
    publish_to(grafana)
    grafana.rules["fenhe-log-loss"] |= {"provenance": "api", "title": "theirs"}
    with pytest.raises(GrafanaError, match=r"rule fenhe-log-loss: another tool wrote it .*differs in title"):
        publish_to(grafana)


def test_a_starting_grafana_is_tried_again(grafana: ContractGrafana) -> None:
    """Two answers of 503 are waited out."""
    grafana.busy = 2
    assert outcomes(publish_to(grafana)) == {PublishOutcome.CREATED}


@pytest.mark.parametrize("url", ["grafana", "ftp://grafana", "http://", "http://grafana/?x=1", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """A wrong address is refused with a right one beside it."""
    with pytest.raises(GrafanaError, match="looks like https://"):
        Grafana(url, TOKEN)


@pytest.mark.parametrize("token", ["", "  ", "中文", "two words"])
def test_a_token_that_is_none_is_refused(token: str) -> None:
    """A token that cannot be one is refused before it is sent."""
    with pytest.raises(GrafanaError, match="the token is empty or"):
        Grafana("http://127.0.0.1:3000", token)


def test_nobody_listens(grafana: ContractGrafana) -> None:
    """A port without a server, and a path that is not Grafana's, are said."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(GrafanaError, match=r"cannot be reached: .*refused"):
            Grafana(f"http://127.0.0.1:{unused.getsockname()[1]}", TOKEN, timeout_s=2).version()
    with pytest.raises(GrafanaError, match=r"404: .*check the address"):
        Grafana(f"{grafana.address}/elsewhere", TOKEN, timeout_s=5).version()


def test_an_editor_makes_the_missing_folder() -> None:
    """403 instead of 404 for a missing folder: an Editor's token creates it, and finds it in the second run."""
    wanted = replace(WANTED, database_url=None)
    with contract_grafana(admin=False, rights=EDITOR) as server:
        dry = publish_to(server, wanted, dry_run=True)
        assert (dry[0].outcome, server.writes) == (PublishOutcome.CREATED, [])
        assert "not visible to this token" in dry[0].lines[0]
        assert publish_to(server, wanted)[0] == PublishedThing("folder fenhe", PublishOutcome.CREATED)
        written = len(server.writes)
        assert outcomes(publish_to(server, wanted)) == {PublishOutcome.UNCHANGED, PublishOutcome.LEFT_ALONE}
        assert len(server.writes) == written


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_token_that_may_not_make_the_folder_hears_which_right_it_lacks(dry_run: bool) -> None:  # noqa: FBT001 - a case
    """A Viewer's token: neither the run nor the dry run goes on, and both name `folders:create`."""
    with contract_grafana(admin=False, rights=VIEWER) as server:
        with pytest.raises(GrafanaError, match=r"folder fenhe: .*folders:create.*Edit on it"):
            publish_to(server, dry_run=dry_run)
        assert server.writes == []


def test_a_folder_that_may_not_be_read_is_said() -> None:
    """The folder is there, and the token may not see it: creating it tells, and the message says what to grant."""
    hidden = {"GET /api/folders/fenhe": RECORDED["missing folder, not an Admin's token"]}
    with contract_grafana(admin=False, folders={"fenhe": {"uid": "fenhe", "title": "fenhe"}}, refuse=hidden) as server:
        with pytest.raises(GrafanaError, match=r"the token may not read it.*412.*Edit on it"):
            publish_to(server)
        assert server.writes == []


def test_a_token_without_data_sources_publishes_the_rest() -> None:
    """An Editor's token with --database: the data source is refused by name, the dashboards are published."""
    with contract_grafana(rights=EDITOR, admin=False) as server:
        with pytest.raises(IncompleteError, match=r"^data source fenhe-reader: .*datasources:read.*Admin"):
            publish_to(server)
        assert set(server.dashboards) == {FIRST, SECOND}


def test_a_right_that_counts_only_with_another_is_not_enough_alone() -> None:
    """To say where a rule came from lets nobody write one: a dry run with that right and no other says so."""
    rights = VIEWER | {"folders:create", "alert.provisioning.provenance:write"}
    with contract_grafana(rights=rights) as server, pytest.raises(IncompleteError) as caught:
        publish_to(server, replace(WANTED, database_url=None), dry_run=True)
    said = str(caught.value)
    assert said.count("alert.rules:create with alert.provisioning.provenance:write") == len(watch.RULES)
    assert "alert.notifications:write with alert.provisioning.provenance:write" in said


def test_a_dry_run_says_what_would_be_refused() -> None:
    """A token that may read and not write: the dry run names each missing right; without being told it cannot."""
    with contract_grafana(rights=VIEWER | {"folders:create"}) as server:
        with pytest.raises(IncompleteError) as caught:
            publish_to(server, replace(WANTED, database_url=None), dry_run=True)
        assert str(caught.value).count("\n") == THINGS - 3
        assert "dashboards:create or dashboards:write, which the role Editor has" in str(caught.value)
        server.tells_rights = False
        assert PublishOutcome.CREATED in outcomes(publish_to(server, replace(WANTED, database_url=None), dry_run=True))


def test_the_wrong_scheme_is_said(grafana: ContractGrafana) -> None:
    """Https on a port of http, http on one of https, and a proxy that sends on: each has its own words."""
    with pytest.raises(GrafanaError, match=r"does not speak https.*write http://127"):
        Grafana(grafana.address.replace("http:", "https:"), TOKEN, timeout_s=5).version()
    grafana.refuse["GET /api/folders/fenhe"] = RECORDED["http on an https port"]
    with pytest.raises(GrafanaError, match="speaks only https: write https://"):
        publish_to(grafana)


def test_a_redirect_is_not_followed(grafana: ContractGrafana) -> None:
    """A redirected POST becomes a GET that is answered with 200: the publisher would report what it never wrote."""
    grafana.headers["Location"] = "https://grafana.example.com/"
    grafana.refuse["POST /api/folders"] = Answer(301, {})
    with pytest.raises(GrafanaError, match=r"sends on to https://grafana\.example\.com/"):
        publish_to(grafana)
