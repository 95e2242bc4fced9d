"""What the documents say of the code is true of it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from typer.main import get_command

from fenhe.cli import app
from fenhe.commands.alarm_kinds import document
from schemas.words import Language

if TYPE_CHECKING:
    from click import Group

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py"))


WRITTEN_BY_PROGRAMS = {"alarm-kinds.md", "scenarios.md"}
WIDEST = 120
"""Signs a line of English prose: what was changed in a document is seen in its differences."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_prose_is_wrapped(document: Path) -> None:
    """Tables, code and what cannot be broken apart; Chinese has no blanks to break lines at."""
    if document.name in WRITTEN_BY_PROGRAMS or "zh-CN" in document.name:
        return
    prose = re.sub(r"(?ms)^ *```.*?^ *```$", "", document.read_text(encoding="utf-8"))
    wide = [
        line for line in prose.splitlines() if len(line) > WIDEST and not line.lstrip().startswith(("|", "#", "[", "<"))
    ]
    whole = [re.sub(r"`[^`]*`", lambda code: "x" * len(code.group()), line) for line in wide]
    assert [line for line in whole if max(map(len, line.split())) < WIDEST - 10] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_a_document_names_exists(document: Path) -> None:
    """A promise is shown by a test; a test that was renamed shows nothing."""
    named = set(re.findall(r"`(test_\w+)`", document.read_text(encoding="utf-8")))
    assert not {name for name in named if f"def {name}(" not in TESTS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_test_stands_in_the_file_that_a_document_names_before_it(document: Path) -> None:
    """`file` · `test`, several of them, or `file::test`: the reader opens that file."""
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text)
    for path, tests in re.findall(r"`(tests/[\w/]+\.py)` · ((?:`test_\w+`(?:, )?)+)", text):
        named += [(path, test) for test in re.findall(r"test_\w+", tests)]
    assert not [(path, test) for path, test in named if f"def {test}(" not in (ROOT / path).read_text(encoding="utf-8")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_a_document_links_to_exists(document: Path) -> None:
    """A link inside the project leads somewhere."""
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", document.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (document.parent / target).exists()]


@pytest.mark.parametrize(("language", "name"), [(Language.EN, "alarm-kinds.md"), (Language.ZH, "alarm-kinds.zh-CN.md")])
def test_the_document_of_alarm_kinds_says_what_the_pages_say(language: Language, name: str) -> None:
    """One source for the document, the alarm's page and the message: `fenhe alarms kinds` writes the file."""
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == document(language)


FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in ("schemas", "ingest", "streams", "storage", "dashboards", "simulators", "notify", "fenhe", "bench")
    for path in sorted((ROOT / folder).rglob("*.py"))
)
HISTORY = {"decisions"}
"""A decision is of its day: it may name what has gone since."""
WRITTEN = ("bench/results/", ".cache/", "fenhe/v")
"""What is made by running, and topics, which look like paths."""


def spoken_of(document: Path) -> set[str]:
    """Everything a document sets in code's type, outside of its blocks."""
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    return set(re.findall(r"`([^`\n]+)`", text))


PRESENT = [path for path in DOCUMENTS if not HISTORY & set(path.parts)]


@pytest.mark.parametrize("document", PRESENT, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_a_document_names_exists(document: Path) -> None:
    """A newcomer who follows a document finds the file."""
    paths = {name for name in spoken_of(document) if re.fullmatch(r"[a-z_.]+(/[\w.*-]+)+/?", name)}
    named = {name for name in paths if name.split("/")[0] in FOLDERS and not name.startswith(WRITTEN)}
    assert not {name for name in named if not list(ROOT.glob(name.rstrip("/")))}


@pytest.mark.parametrize("document", PRESENT, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_class_and_module_a_document_names_exists(document: Path) -> None:
    """A newcomer who greps for a name finds it."""
    names = spoken_of(document)
    classes = {name for name in names if re.fullmatch(r"[A-Z][a-z]+[A-Z]\w*(\.\w+)?", name)}
    missing = {
        name
        for name in classes
        if not re.search(rf"\bclass {name.split('.')[0]}\b", CODE + TESTS)
        or ("." in name and not re.search(rf"(def|class) {name.split('.')[1]}\b|\b{name.split('.')[1]}:", CODE))
    }
    modules = {name for name in names if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+(\.[A-Z_]\w*)?", name)}
    for name in (name for name in modules if name.split(".")[0] in FOLDERS and not name.startswith("fenhe.")):
        parts = name.split(".")
        at = max((n for n in range(len(parts) + 1) if list(ROOT.glob("/".join(parts[:n]) + "*"))), default=0)
        if at < len(parts) and not re.search(rf"(def|class) {parts[at]}\b|^{parts[at]}\b", CODE, re.MULTILINE):
            missing.add(name)
    assert not missing


NOT_IN_SOURCE = {"pg_upgrade", "unhealthy", "production_mwh_h", "production_t_h"}
"""A program and a word of others; and quantities that a simulator names after the unit of its plant's product."""
BEGINNINGS = ("fenhe_worker_", "FENHE_")
"""What the code puts before a name: of a metric, of a setting."""


@cache
def words_of_the_source() -> frozenset[str]:
    """Every word of every file that is no document: code, SQL, YAML, configuration; and the names of files."""
    folders = [ROOT / name for name in FOLDERS if not name.startswith(".")]
    files = [path for folder in folders for path in folder.rglob("*")] + list(ROOT.iterdir())
    words = {path.name for path in files}
    for path in files:
        if path.name.endswith((".py", ".sql", ".yaml", ".yml", ".toml", ".conf", ".sh", "Makefile", "Dockerfile")):
            words.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    return frozenset(words)


@pytest.mark.parametrize("document", PRESENT, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_name_a_document_names_is_in_the_source(document: Path) -> None:
    """Functions, constants, fields, columns, parameters and settings: what was renamed is renamed in the documents."""
    words = words_of_the_source() | set(
        re.findall(r"[\w.]+", "\n".join(re.findall(r"```.*?```", document.read_text(encoding="utf-8"), re.DOTALL)))
    )
    missing = set()
    for name in spoken_of(document):
        if not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(\(\))?", name) or name in NOT_IN_SOURCE | words:
            continue
        for part in re.findall(r"\w+", name):
            shown = next((part.removeprefix(start) for start in BEGINNINGS if part.startswith(start)), part)
            if not {part, shown, shown.lower()} & words:
                missing.add(name)
    assert not missing


@pytest.mark.parametrize("document", PRESENT, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_in_an_example_exists(document: Path) -> None:
    """In commands too, and beside a link: a reader pastes them."""
    text = document.read_text(encoding="utf-8")
    paths = set(re.findall(r"(?<![\w/.$<-])((?:[a-z_]+/)+[\w-]+\.(?:py|sql|ya?ml|md|sh|conf|json|svg))\b", text))
    named = {path for path in paths if not path.startswith(WRITTEN)}
    assert not {path for path in named if not (ROOT / path).exists() and not (document.parent / path).exists()}


def test_the_index_of_decisions_names_every_decision() -> None:
    """A decision nobody can find is made twice."""
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert not [path.name for path in folder.glob("[0-9]*.md") if f"({path.name})" not in index]


def anchors(document: Path) -> set[str]:
    """What a link into a document may name: its headings, as the usual renderers write them."""
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ +(.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_heading_a_document_links_to_exists(document: Path) -> None:
    """A link that ends at the top of a long document has lost its reader."""
    links = re.findall(r"\]\((?!https?://)([^)#\s]*)#([^)\s]+)\)", document.read_text(encoding="utf-8"))
    missing = [
        (name, anchor) for name, anchor in links if anchor not in anchors(document.parent / name if name else document)
    ]
    assert not missing


PROGRAMS = sorted(
    path
    for folder in (
        "schemas",
        "ingest",
        "streams",
        "storage",
        "dashboards",
        "simulators",
        "notify",
        "fenhe",
        "bench",
        "tests",
    )
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".yaml"}
)
"""Whoever reads one of these meets the documents that it cites."""


def cited(program: Path) -> set[tuple[str, str]]:
    """Documents that a program's comments and docstrings name, each with its heading or with none."""
    text = re.sub(r"\n[ \t]*#?[ \t]*", " ", program.read_text(encoding="utf-8"))
    return set(re.findall(r"(?<![\w./])(docs/[\w./-]+\.md)(?:, \"([^\"]{1,80})\")?", text))


def test_every_document_and_heading_that_a_program_cites_exists() -> None:
    """`docs/detection.md, "Numbers and their sources"`: who follows it finds the number there."""
    missing = set()
    for program in PROGRAMS:
        for name, heading in cited(program):
            document = ROOT / name
            text = document.read_text(encoding="utf-8") if document.exists() else ""
            if not text or (heading and heading not in re.findall(r"^#+ +(.*)$", text, re.MULTILINE)):
                missing.add((str(program.relative_to(ROOT)), name, heading))
    assert not missing


def test_no_program_cites_what_its_reader_has_not_got() -> None:
    """A formula's source is a document of this repository, or a standard by its name; never a text of its authors'."""
    unseen = re.compile(
        r"(metric|message|simulators?'?) specification|\bsection \d\b(?!\.\d)|the specification", re.IGNORECASE
    )
    texts = {path: path.read_text(encoding="utf-8") for path in [*PROGRAMS, *PRESENT] if path != Path(__file__)}
    assert not {
        str(path.relative_to(ROOT)): found.group() for path, text in texts.items() if (found := unseen.search(text))
    }


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_names_every_command(name: str) -> None:
    """All that `fenhe --help` lists, and no other."""
    rows = re.findall(r"^\| (`fenhe [^|]*)\|", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
    spans = [span.split() for row in rows for span in re.findall(r"`([^`]+)`", row)]
    whole = {words[1] for words in spans if words[0] == "fenhe"}
    commands = set(cast("Group", get_command(app)).commands)
    assert whole <= commands
    assert commands <= whole | {words[0] for words in spans}


def test_each_way_through_the_code_is_short_and_never_comes_back() -> None:
    """At most fifteen files, none twice: who reads them in order has read the way."""
    text = (ROOT / "docs" / "how-it-works.md").read_text(encoding="utf-8").split("## Where to read it")[1]
    ways = [re.findall(r"^\d+\. `([\w/]+\.py)`", way, re.MULTILINE) for way in text.split("\n**")[1:]]
    assert len(ways) == 3
    assert all(0 < len(way) <= 15 and len(set(way)) == len(way) for way in ways)
