"""The pages that users read: their code runs, and the reference names what there is."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ctok
from ctok import Encoding, errors, load
from examples import keeping_tiktoken, run_session
from testdata import ROOT

REFERENCE = (ROOT / "docs" / "reference.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "docs" / "tutorial.md", *(ROOT / "docs").glob("how-to/*.md")]
# Their code asks the Hub. tests/unit/hub does the same against a server of its own.
NEED_NETWORK = {"hub.md", "cli-hub.md", "lock-and-bundle.md"}

# ---- pages --------------------------------------------------------------------------------


def blocks(page: Path) -> Iterator[tuple[int, str]]:
    """The Python code of a page, and the lines where it starts."""
    text = page.read_text()
    for found in re.finditer(r"^```python\n(.*?)^```$", text, re.S | re.M):
        yield text.count("\n", 0, found.start(1)), found[1]


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name not in NEED_NETWORK],
    ids=lambda page: page.name,
)
def test_code_of_a_page_runs_from_top_to_bottom(page: Path) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    assert list(blocks(page))
    with keeping_tiktoken():
        for line, code in blocks(page):
            if ">>> " in code:
                assert 0 == run_session(code, names, str(page), line)
            else:
                # Blank lines make the traceback's line that of the page.
                exec(compile("\n" * line + code, page, "exec"), names)


LINKED = sorted({*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *(ROOT / "docs").rglob("*.md")})


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as hosts of repositories make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", page.read_text()):
        file = page.parent / target if target else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), f"{target}#{anchor}"


# ---- reference ----------------------------------------------------------------------------


def section(title: str) -> str:
    """What stands under a heading of the second level."""
    return REFERENCE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def entries(title: str) -> list[str]:
    """The first cells of a section's tables: names, or whole signatures."""
    return re.findall(r"^\| `([^`]+)` \|", section(title), re.M)


def names(title: str) -> list[str]:
    return [re.split(r"\W", entry)[0] for entry in entries(title)]


def arguments_of(signature: inspect.Signature) -> list[tuple[str, str, Any]]:
    return [
        (each.name, each.kind.description, each.default)
        for each in signature.parameters.values()
        if each.name != "self"
    ]


def assert_arguments_agree(entry: str, function: Any) -> None:
    stub = ast.unparse(ast.parse(f"def {entry}: ...").body[0])
    space: dict[str, Any] = {}
    exec(f"from __future__ import annotations\n{stub}", space)
    written = arguments_of(inspect.signature(space[entry.partition("(")[0]]))
    assert written == arguments_of(inspect.signature(function)), entry


def test_reference_names_what_ctok_exports() -> None:
    assert sorted(ctok.__all__) == sorted(names("ctok"))


def test_reference_names_the_public_methods_and_properties_of_encoding() -> None:
    public = [name for name in dir(Encoding) if not name.startswith("_")]
    assert sorted([*public, "Encoding"]) == sorted(names("Encoding"))


def test_reference_names_the_functions_of_load() -> None:
    functions = [
        name
        for name, value in vars(load).items()
        if inspect.isfunction(value) and value.__module__ == "ctok.load" and name[0] != "_"
    ]
    assert sorted(functions) == sorted(names("ctok.load"))


def test_reference_names_every_error_and_what_else_it_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", section("ctok.errors"), re.M)
    defined = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and value.__module__ == "ctok.errors"
    ]
    assert sorted(defined) == sorted(name for name, _ in rows)
    for name, builtin in rows:
        assert builtin in {base.__name__ for base in getattr(errors, name).__mro__}, name


@pytest.mark.parametrize("entry", [entry for entry in entries("ctok") if "(" in entry])
def test_signature_of_a_function_is_that_of_the_code(entry: str) -> None:
    assert_arguments_agree(entry, getattr(ctok, entry.partition("(")[0]))


@pytest.mark.parametrize("entry", [entry for entry in entries("Encoding") if "(" in entry])
def test_signature_of_a_method_is_that_of_the_code(entry: str) -> None:
    name = entry.partition("(")[0]
    assert_arguments_agree(entry, Encoding if name == "Encoding" else getattr(Encoding, name))


@pytest.mark.parametrize("entry", [entry for entry in entries("Encoding") if "(" not in entry])
def test_what_has_no_signature_is_a_property(entry: str) -> None:
    assert isinstance(inspect.getattr_static(Encoding, entry), property)


@pytest.mark.parametrize("entry", entries("ctok.load"))
def test_signature_of_a_loader_is_that_of_the_code(entry: str) -> None:
    assert_arguments_agree(entry, getattr(load, entry.partition("(")[0]))
