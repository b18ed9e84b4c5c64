"""Whatever an archive holds: refused, or nothing outside the target changes or is reachable."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctok.hub.compressed import ArchiveError
from ctok.hub.extract import MARK, extract

# Few names, so that members meet: links to links, files below links, links over folders.
parts = st.sampled_from(["a", "b", "c", "..", ".", "", "victim"])
paths = st.lists(parts, min_size=1, max_size=4).map("/".join)
targets = st.one_of(paths, paths.map(lambda path: f"/{path}"))
kinds = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
members = st.lists(st.tuples(kinds, paths, targets), min_size=1, max_size=7)


def archive_of(entries: Sequence[tuple[bytes, str, str]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for kind, name, target in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info.linkname = target
            info.size = len(b"data") if kind == tarfile.REGTYPE else 0
            file.addfile(info, io.BytesIO(b"data"))
    return out.getvalue()


@given(members)
@settings(max_examples=200)
def test_an_archive_is_refused_or_stays_inside(entries: list[tuple[bytes, str, str]]) -> None:
    base = Path(tempfile.mkdtemp())
    try:
        (base / "victim").mkdir()
        (base / "victim" / "a").write_bytes(b"secret")
        (base / "x.tar").write_bytes(archive_of(entries))
        out = base / "deep" / "out"
        try:
            extract(base / "x.tar", out)
        except ArchiveError:
            assert not out.exists()
        else:
            real = os.path.realpath(out)
            for folder, folders, files in os.walk(out):
                for name in (*folders, *files):
                    path = os.path.realpath(os.path.join(folder, name))  # noqa: PTH118
                    assert path.startswith(real + os.sep) or path == real
            assert (out / MARK).is_file()
        assert (base / "victim" / "a").read_bytes() == b"secret"
        assert {each.name for each in base.iterdir()} <= {"victim", "x.tar", "deep"}
        assert [each for each in base.glob("deep/*") if each != out] == []
    finally:
        shutil.rmtree(base)


@pytest.mark.parametrize("entries", [[(tarfile.SYMTYPE, "a", "b"), (tarfile.REGTYPE, "b", "")]])
def test_the_search_can_succeed(entries: list[tuple[bytes, str, str]], tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(archive_of(entries))
    assert b"data" == (extract(tmp_path / "x.tar", tmp_path / "out") / "a").read_bytes()
