"""Arrows point down: docs/design/layers.md against what the files include and import."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from testdata import ROOT

CSRC = ROOT / "csrc"
PACKAGE = ROOT / "pkg" / "ctok"
PAGE = (ROOT / "docs" / "design" / "layers.md").read_text()
C_PART, PYTHON_PART = PAGE.split("## C:")[1].split("## Python:")


def listed(part: str) -> list[str]:
    """The modules of a table, bottom first."""
    table = part.split("| module | knows |")[1].split("\n\n")[0]
    cells = re.findall(r"^\| (`[^|]*)\|", table, re.M)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def excepted() -> set[tuple[str, str]]:
    """The imports inside functions that may point up."""
    table = PYTHON_PART.split("| from | to | when |")[1]
    return set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", table, re.M))


# ---- C ------------------------------------------------------------------------------------


def c_files() -> list[Path]:
    return [*CSRC.glob("*.c"), *CSRC.glob("*.h")]


def test_page_lists_every_module_of_the_core_once() -> None:
    assert sorted({path.stem for path in c_files()}) == sorted(listed(C_PART))


def test_includes_of_the_core_point_down() -> None:
    order = listed(C_PART)
    up = [
        f"{path.name} includes {included}"
        for path in c_files()
        for included in re.findall(r'^#include "([^"]+)"', path.read_text(), re.M)
        if order.index(Path(included).stem) > order.index(path.stem)
    ]
    assert [] == up


# ---- Python -------------------------------------------------------------------------------


def python_files() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.p*") if path.suffix in (".py", ".pyx", ".pxi")]


def module_of(path: Path) -> str:
    """The line of the page that a file belongs to: its name, or that of its folder; the bridge's
    parts are included by `_core.pyx`."""
    if path.suffix == ".pxi":
        return "_core"
    return path.relative_to(PACKAGE).parts[0].partition(".")[0]


def statements(path: Path) -> Iterator[tuple[ast.stmt, bool]]:
    """The imports of a file, and whether each runs when the file is imported."""
    if path.suffix != ".py":  # Cython: only the plain import lines are Python
        for indent, line in re.findall(r"^( *)(from \S+ import [\w, ]+)$", path.read_text(), re.M):
            yield ast.parse(line).body[0], not indent
        return
    pending: list[tuple[ast.AST, bool]] = [(ast.parse(path.read_text()), True)]
    while pending:
        node, is_early = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, is_early
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        is_early = is_early and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        pending += [(child, is_early) for child in ast.iter_child_nodes(node)]


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Which modules of the package a file imports, and whether early."""
    known = listed(PYTHON_PART)
    here = ("ctok", *path.relative_to(PACKAGE).parent.parts) if path.suffix != ".pxi" else ("ctok",)
    for node, is_early in statements(path):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) + 1 - node.level] if node.level else ()
            whole = ".".join([*base, *([node.module] if node.module else [])])
            targets = [f"{whole}.{alias.name}" for alias in node.names]
        for target in targets:
            package, _, rest = target.partition(".")
            if package == "ctok":
                name = rest.partition(".")[0]
                yield (name if name in known else "__init__"), is_early


def test_page_lists_every_module_of_the_package_once() -> None:
    modules = {module_of(path) for path in python_files()}
    assert sorted(modules | {"_pcre2"}) == sorted(listed(PYTHON_PART))


def test_imports_of_the_package_point_down() -> None:
    order = listed(PYTHON_PART)
    up = {
        (module_of(path), name)
        for path in python_files()
        for name, is_early in imports(path)
        if is_early and order.index(name) > order.index(module_of(path))
    }
    assert set() == up


def test_imports_inside_functions_that_point_up_are_those_of_the_page() -> None:
    order = listed(PYTHON_PART)
    up = {
        (module_of(path), name)
        for path in python_files()
        for name, is_early in imports(path)
        if not is_early and order.index(name) > order.index(module_of(path))
    }
    assert excepted() == up


def test_the_hub_needs_only_errors_and_config() -> None:
    needed = {name for path in (PACKAGE / "hub").glob("*.py") for name, _ in imports(path)}
    assert {"config", "errors", "hub"} == needed
