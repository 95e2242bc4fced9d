"""The publisher against a server that answers as Grafana does, its refusals included."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import yaml
from typer.testing import CliRunner

from dashboards.grafana import library, watch
from dashboards.grafana.api import Grafana
from dashboards.grafana.build import ALERTING, DEFINITIONS, dashboard_json
from dashboards.grafana.difference import differences
from dashboards.grafana.publish import IncompleteError, PublishedThing, PublishOutcome, data_source, publish
from dashboards.grafana.refusals import GrafanaError
from fenhe.cli import app
from schemas.words import Language
from tests.support.grafana_contract import (
    RECORDED,
    RIGHTS,
    TOKEN,
    Answer,
    ContractGrafana,
    contract_grafana,
)
from tests.support.grafana_publishing import DASHBOARDS, DATABASE, FIRST, SECOND, THINGS, WANTED, outcomes, publish_to


def test_an_empty_grafana_gets_everything_and_a_second_run_changes_nothing(grafana: ContractGrafana) -> None:
    """Publishing is idempotent: what is as it should be is not written again."""
    first = publish_to(grafana)
    assert (len(first), outcomes(first)) == (THINGS, {PublishOutcome.CREATED})
    assert len(grafana.writes) == THINGS
    second = publish_to(grafana)
    assert outcomes(second) == {PublishOutcome.UNCHANGED}
    assert len(grafana.writes) == THINGS


def test_a_dry_run_only_reads(grafana: ContractGrafana) -> None:
    """A dry run says what it would do to an empty and to a changed Grafana, and writes nothing."""
    assert outcomes(publish_to(grafana, dry_run=True)) == {PublishOutcome.CREATED}
    assert grafana.writes == []
    publish_to(grafana)
    held = grafana.dashboards[FIRST]["dashboard"]
    held["panels"][0]["title"] = "by hand"
    before, written = copy.deepcopy(held), len(grafana.writes)
    changed = [change for change in publish_to(grafana, dry_run=True) if change.outcome is not PublishOutcome.UNCHANGED]
    assert [(change.what, change.outcome) for change in changed] == [(f"dashboard {FIRST}", PublishOutcome.CHANGED)]
    assert changed[0].lines[0].startswith('dashboard.panels[0].title: "by hand" → ')
    assert (held, len(grafana.writes)) == (before, written)


def test_what_was_changed_by_hand_is_written_over(grafana: ContractGrafana) -> None:
    """Only what differs is written: a moved dashboard, a renamed folder, a rule's limit, another webhook."""
    publish_to(grafana)
    grafana.dashboards[SECOND]["meta"]["folderUid"] = "elsewhere"
    grafana.folders["fenhe"]["title"] = "old"
    grafana.points[watch.CONTACT_POINT_UID]["settings"]["url"] = "https://old.example.com"
    grafana.rules["fenhe-books-open"]["data"][1]["model"]["conditions"][0]["evaluator"]["params"] = [9]
    changed = {change.what for change in publish_to(grafana) if change.outcome is PublishOutcome.CHANGED}
    assert changed == {
        "folder fenhe",
        f"dashboard {SECOND}",
        "contact point fenhe-webhook",
        "alert rule fenhe-books-open",
    }
    assert outcomes(publish_to(grafana)) == {PublishOutcome.UNCHANGED}


def test_secrets_go_in_and_are_not_compared(grafana: ContractGrafana) -> None:
    """Grafana never tells a password: a set one counts as the same unless it is to be rewritten."""
    publish_to(grafana)
    assert grafana.sources["fenhe-reader"]["secureJsonFields"] == {"password": True}
    (source,) = (c for c in publish_to(grafana, replace(WANTED, webhook=None, rewrite_secrets=True))
                 if c.what.startswith("data source"))  # fmt: skip
    assert source == PublishedThing("data source fenhe-reader", PublishOutcome.CHANGED, ["password: written anew"])
    del grafana.sources["fenhe-reader"]["secureJsonFields"]["password"]
    assert "password" in str(publish_to(grafana)[1])


def test_what_was_not_given_is_left_alone(grafana: ContractGrafana) -> None:
    """Without a database and a webhook an Editor's token is enough: neither is even read."""
    grafana.rights = RIGHTS - {right for right in RIGHTS if right.startswith(("datasources", "alert"))}
    changes = publish_to(grafana, replace(WANTED, database_url=None, webhook=None))
    left = [change.what for change in changes if change.outcome is PublishOutcome.LEFT_ALONE]
    assert left[0] == "data source fenhe-reader"
    assert len(left) == 2 + len(watch.RULES)


def test_the_data_source_is_the_readers_only() -> None:
    """Whoever edits a panel runs SQL as the data source's role: it must be the reader."""
    source = data_source(DATABASE)
    assert (source["user"], source["url"], source["jsonData"]["database"]) == ("fenhe_reader", "db:5432", "fenhe")
    assert source["secureJsonData"] == {"password": "p@ss"}
    assert data_source("postgresql://fenhe_reader@db/fenhe")["jsonData"]["sslmode"] == "require"
    with pytest.raises(GrafanaError, match="must read as fenhe_reader, not as 'fenhe_owner'"):
        data_source("postgresql://fenhe_owner:x@db:5432/fenhe")
    with pytest.raises(GrafanaError, match="looks like postgresql://"):
        data_source("mysql://fenhe_reader@db/fenhe")


def test_the_server_is_not_shown_anything_when_the_reader_is_wrong(grafana: ContractGrafana) -> None:
    """A wrong database address is refused before the first request."""
    with pytest.raises(GrafanaError, match="must read as"):
        publish_to(grafana, replace(WANTED, database_url="postgresql://postgres@db/fenhe"))
    assert grafana.writes == []


def test_newer_grafanas_are_taken() -> None:
    """The contract holds for Grafana 12 and 13, for builds between, and for one that hides its version."""
    for version in ("12.3.0", "12.4.0-86304", "13.2.3", ""):
        with contract_grafana(version=version) as server:
            assert outcomes(publish_to(server)) == {PublishOutcome.CREATED}


def test_the_command_says_what_it_would_do_and_fails_with_one_line(
    grafana: ContractGrafana, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`fenhe dashboards publish`: 0 with a line for each thing, 1 with the reason alone."""
    monkeypatch.setattr("dashboards.grafana.build.all_dashboards", lambda: DASHBOARDS)
    arguments = ["dashboards", "publish", "--grafana", grafana.address, "--database", DATABASE]
    environment = {"FENHE_GRAFANA_TOKEN": TOKEN}
    dry = CliRunner().invoke(app, [*arguments, "--dry-run"], env=environment)
    assert dry.exit_code == 0
    assert "folder fenhe: would be created" in dry.output
    assert "alert rule fenhe-log-loss: left alone: no --webhook given" in dry.output
    assert grafana.writes == []
    done = CliRunner().invoke(app, arguments, env=environment)
    assert f"dashboard {FIRST}: created" in done.output
    grafana.dashboards[FIRST]["dashboard"]["title"] = "x"
    result = CliRunner().invoke(app, arguments, env=environment)
    assert '    dashboard.title: "x" → ' in result.output
    wrong = CliRunner().invoke(app, arguments, env={"FENHE_GRAFANA_TOKEN": "wrong"})
    assert wrong.exit_code == 1
    assert "401" in wrong.output
    assert "Traceback" not in wrong.output


def test_the_provisioning_file_is_fresh_and_holds_what_is_published() -> None:
    """From files and over HTTP the same rules reach Grafana; the only variable in the file is the webhook."""
    assert ALERTING.read_text(encoding="utf-8") == watch.provisioning_file()
    document = yaml.safe_load(watch.provisioning_file())
    (group,), (point,) = document["groups"], document["contactPoints"]
    over_http = [rule.over_http() for rule in watch.RULES]
    assert [rule | {"folderUID": "fenhe", "ruleGroup": group["name"]} for rule in group["rules"]] == over_http
    assert group["folder"] != watch.FOLDER_TITLE  # a file's folder gets a UID of its own: two of one name
    assert {rule["notification_settings"]["receiver"] for rule in group["rules"]} == {point["name"]}
    assert watch.provisioning_file().count("$") == 1
    assert point["receivers"][0]["settings"]["url"] == "$FENHE_ALERT_WEBHOOK"


def test_defaults_of_the_server_are_no_difference() -> None:
    """What only Grafana has, its counters, and what it leaves out as empty do not count; another length does."""
    ours = {"version": 0, "a": [1, {"b": "x"}], "c": None, "d": "", "e": False, "f": 0, "g": []}
    assert differences(ours, {"version": 7, "id": 1, "a": [1, {"b": "x", "z": 1}]}) == []
    assert differences(ours, {"a": [1, {"b": "y"}]}) == ['a[1].b: "y" → "x"']
    assert differences({"a": [1]}, {"a": [1, 2]}) == ["a: [2] → [1]"]
    assert differences({"a": {"b": 1}}, {"a": 3}) == ['a: 3 → {"b": 1}']
    assert differences({"a": True}, {"a": 1}) == []
    assert differences({"a": "x" * 99}, {"a": None})[0].endswith("…")


def test_a_server_without_rules_gets_them_all(grafana: ContractGrafana) -> None:
    """A missing rule is 404 with an empty body: the first run with a webhook writes every rule, dry or not."""
    assert RECORDED["missing rule"] == (404, "")
    for dry_run in (True, False):
        rules = [change for change in publish_to(grafana, dry_run=dry_run) if change.what.startswith("alert rule")]
        assert [change.outcome for change in rules] == [PublishOutcome.CREATED] * len(watch.RULES)
    assert set(grafana.rules) == {rule.uid for rule in watch.RULES}


def test_a_page_that_is_missing_is_no_missing_rule() -> None:
    """404 with a page comes from something that is no Grafana, and is not taken for "there is none"."""
    page = Answer(404, "<html>")
    with (
        contract_grafana(refuse={"GET /api/v1/provisioning/alert-rules/fenhe-log-loss": page}) as server,
        pytest.raises(GrafanaError, match="a page instead of JSON"),
    ):
        publish_to(server)


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_came_from_files_is_left_to_them(dry_run: bool) -> None:  # noqa: FBT001 - a case
    """Source, dashboard, contact point and rule from files that differ: none is refused, each says what to do."""
    with contract_grafana() as server:
        publish_to(server)
        server.sources["fenhe-reader"] |= {"readOnly": True, "url": "old:5432"}
        server.provisioned = frozenset({FIRST})
        server.dashboards[FIRST]["dashboard"]["title"] = "theirs"
        server.dashboards[FIRST]["meta"]["provisioned"] = True
        server.points["fenhe-webhook"] |= {"settings": {"url": "https://old.example.com"}, "provenance": "file"}
        server.rules["fenhe-log-loss"] |= {"title": "theirs", "provenance": "file"}
        server.writes.clear()
        seen = publish_to(server, dry_run=dry_run)
        left = {each.what: each.lines[0] for each in seen if each.outcome is PublishOutcome.LEFT_ALONE}
        assert set(left) == {
            "data source fenhe-reader", f"dashboard {FIRST}",
            "contact point fenhe-webhook", "alert rule fenhe-log-loss",
        }  # fmt: skip
        assert all(line.startswith("provisioned from file: change it in that file") for line in left.values())
        assert all("it differs in" in line for line in left.values())
        assert {each.outcome for each in seen} == {PublishOutcome.LEFT_ALONE, PublishOutcome.UNCHANGED}
        assert not server.writes


@pytest.mark.parametrize("answer", ["provisioned from file", "provisioned from file, later patches"])
def test_what_hides_that_it_came_from_a_file_says_so_when_it_is_written(answer: str) -> None:
    """Older answers do not tell where a thing came from until it is written: the real refusals mean the same."""
    with contract_grafana(refuse={"PUT /api/v1/provisioning/contact-points/fenhe-webhook": RECORDED[answer]}) as server:
        publish_to(server)
        server.points["fenhe-webhook"]["settings"] = {"url": "https://old.example.com"}
        server.provisioned = frozenset({FIRST})
        server.dashboards[FIRST]["dashboard"]["title"] = "theirs"
        left = [each for each in publish_to(server) if each.outcome is PublishOutcome.LEFT_ALONE]
        assert [each.what for each in left] == [f"dashboard {FIRST}", "contact point fenhe-webhook"]
        assert "400: Cannot save provisioned dashboard" in left[0].lines[0]
        assert all("FENHE_ALERT_WEBHOOK" in each.lines[0] for each in left)


def test_what_came_from_files_and_is_as_wanted_is_unchanged(grafana: ContractGrafana) -> None:
    """Where a thing came from is no difference."""
    publish_to(grafana)
    grafana.points["fenhe-webhook"]["provenance"] = "file"
    for rule in grafana.rules.values():
        rule["provenance"] = "file"
    assert outcomes(publish_to(grafana)) == {PublishOutcome.UNCHANGED}


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_dashboard_of_the_new_schema_is_written_over_and_named(dry_run: bool) -> None:  # noqa: FBT001 - a case
    """406 to reading, 200 to a save in the old schema: it is changed like all that was changed by hand, and said so."""
    with contract_grafana(second_schema=frozenset({FIRST})) as server:
        seen = list(publish(Grafana(server.address, TOKEN), WANTED, dry_run=dry_run))
        (changed,) = (each for each in seen if each.what == f"dashboard {FIRST}")
        assert changed.outcome is PublishOutcome.CHANGED
        assert "schema (v2): written over" in changed.lines[0]
        assert len(seen) == THINGS
        assert set(server.dashboards) == (set() if dry_run else {FIRST, SECOND})
        assert len(server.rules) == (0 if dry_run else len(watch.RULES))
        if not dry_run:
            assert outcomes(list(publish(Grafana(server.address, TOKEN), WANTED, dry_run=False))) == {
                PublishOutcome.UNCHANGED
            }


def test_rules_may_be_of_any_organisation(grafana: ContractGrafana) -> None:
    """A token belongs to an organisation; a rule kept under its number is no difference."""
    publish_to(grafana)
    for rule in grafana.rules.values():
        rule["orgID"] = 7
    assert outcomes(publish_to(grafana)) == {PublishOutcome.UNCHANGED}


def test_a_redacted_address_is_no_difference(grafana: ContractGrafana) -> None:
    """A Grafana that hides the webhook's address does not get it anew with every run."""
    publish_to(grafana)
    grafana.points["fenhe-webhook"]["settings"]["url"] = "[REDACTED]"
    assert outcomes(publish_to(grafana)) == {PublishOutcome.UNCHANGED}


def test_every_alert_links_to_a_dashboard_that_is_built() -> None:
    """Who is woken comes from the alert to the page that shows what is wrong."""
    built = {dashboard_json(definition, Language.ZH)["uid"] for definition in DEFINITIONS}
    for rule in watch.RULES:
        annotations = rule.over_http()["annotations"]
        assert annotations["__dashboardUid__"] in built
        assert annotations["__panelId__"] == "1"


def test_the_source_asks_for_no_finer_step_than_a_minute() -> None:
    """From files and over HTTP the data source has the windows' own step."""
    file = yaml.safe_load((ALERTING.parents[1] / "datasources" / "fenhe.yaml").read_text(encoding="utf-8"))
    (provisioned,) = file["datasources"]
    assert provisioned["jsonData"]["timeInterval"] == data_source(DATABASE)["jsonData"]["timeInterval"] == "1m"


def test_the_panels_every_page_ends_with_are_in_the_library_once_a_language(grafana: ContractGrafana) -> None:
    """Books and quarantine are library panels; dashboards refer to them, and the built files do not."""
    both = [*DASHBOARDS, dashboard_json(DEFINITIONS[0], Language.EN)]
    publish_to(grafana, replace(WANTED, dashboards=both))
    assert sorted(grafana.library) == ["fenhe-books-en", "fenhe-books-zh", "fenhe-quarantine-en", "fenhe-quarantine-zh"]
    for dashboard in both:
        held = grafana.dashboards[dashboard["uid"]]["dashboard"]
        tied = [panel["libraryPanel"]["uid"] for panel in held["panels"] if "libraryPanel" in panel]
        assert tied == [f"fenhe-{slug}-{dashboard['uid'][-2:]}" for slug in library.SHARED]
        assert "libraryPanel" not in str(dashboard)


def test_a_shared_panel_is_the_same_on_every_dashboard() -> None:
    """One library panel stands for all of its copies: they differ in their place only."""
    for definition in DEFINITIONS:
        for language in Language:
            mine = library.elements([dashboard_json(definition, language)])
            assert len(mine) == len(library.SHARED)
            assert mine == library.elements([dashboard_json(DEFINITIONS[0], language)])


def test_a_library_panel_that_was_changed_by_hand_is_written_over(grafana: ContractGrafana) -> None:
    """Grafana asks for the version that is changed: it is the one that was read."""
    publish_to(grafana)
    grafana.library["fenhe-books-zh"]["model"]["title"] = "by hand"
    grafana.library["fenhe-books-zh"]["version"] = 7
    changed = [change for change in publish_to(grafana) if change.outcome is not PublishOutcome.UNCHANGED]
    assert [(change.what, change.outcome) for change in changed] == [
        ("library panel fenhe-books-zh", PublishOutcome.CHANGED)
    ]
    assert changed[0].lines[0].startswith('model.title: "by hand" → ')
    assert grafana.library["fenhe-books-zh"]["version"] == 8
    assert outcomes(publish_to(grafana)) == {PublishOutcome.UNCHANGED}


def test_without_its_library_panel_a_dashboard_is_whole(grafana: ContractGrafana) -> None:
    """A refused library panel is named; no dashboard refers to one that is not there."""
    grafana.rights = RIGHTS - {"library.panels:create"}
    with pytest.raises(IncompleteError, match=r"library panel fenhe-books-zh: .*library.panels:create"):
        publish_to(grafana)
    assert "libraryPanel" not in str(grafana.dashboards[FIRST])
    assert [panel["title"] for panel in grafana.dashboards[FIRST]["dashboard"]["panels"]] == [
        panel["title"] for panel in DASHBOARDS[0]["panels"]
    ]
