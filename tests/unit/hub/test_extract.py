"""Unpacking archives: E35 (formats, whole targets) and E36 (hostile archives)."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import shutil
import stat
import subprocess
import sys
import tarfile
import threading
import time
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ctok.errors import MissingPackageError
from ctok.hub import extract as extraction
from ctok.hub.compressed import (
    ArchiveError,
    ArchiveLimitError,
    Limits,
    UnsafeArchiveError,
    archive_format,
    decompress,
)
from ctok.hub.extract import MARK, TargetExistsError, extract
from testdata import ROOT

FILES = {"a.txt": b"alpha\n", "sub/b.bin": bytes(range(256)) * 1000, "sub/empty": b""}
NOISE = random.Random(1).randbytes(200_000)


def zstd(data: bytes) -> bytes:
    zstandard = pytest.importorskip("zstandard")
    return bytes(zstandard.ZstdCompressor().compress(data))


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd,
}


def tar_bytes(*members: tarfile.TarInfo | tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for member in members:
            if isinstance(member, tuple):
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                file.addfile(info, io.BytesIO(member[1]))
            else:
                file.addfile(member, io.BytesIO(bytes(member.size)))
    return out.getvalue()


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def write_archive(path: Path, kind: str) -> Path:
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, data in FILES.items():
                file.writestr(name, data)
    else:
        data = tar_bytes(*FILES.items())
        _, _, outer = kind.partition(".")
        path.write_bytes(COMPRESS[outer](data) if outer else data)
    return path


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MARK
    }


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


# --- E35: formats -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst"])
def test_every_archive_format_is_unpacked_by_content_not_name(tmp_path: Path, kind: str) -> None:
    archive = write_archive(tmp_path / "no-suffix", kind)
    assert kind == archive_format(archive)
    assert FILES == content(extract(archive, tmp_path / "out"))
    assert [] == leftovers(tmp_path)


@pytest.mark.parametrize("kind", list(COMPRESS))
def test_a_single_compressed_file_becomes_one_file(tmp_path: Path, kind: str) -> None:
    archive = tmp_path / f"train.jsonl.{kind}"
    archive.write_bytes(COMPRESS[kind](NOISE))
    assert kind == archive_format(archive)
    assert {"train.jsonl": NOISE} == content(extract(archive, tmp_path / "out"))
    assert NOISE == decompress(archive, tmp_path / "deep" / "file").read_bytes()
    assert [] == leftovers(tmp_path / "deep")


@pytest.mark.parametrize("kind", list(COMPRESS))
def test_concatenated_streams_are_read_to_the_end(tmp_path: Path, kind: str) -> None:
    archive = tmp_path / "f"
    archive.write_bytes(COMPRESS[kind](b"first ") + COMPRESS[kind](b"second"))
    assert b"first second" == decompress(archive, tmp_path / "out").read_bytes()


def test_xz_padding_is_no_stream(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(lzma.compress(b"x") + bytes(8))
    assert b"x" == decompress(tmp_path / "f", tmp_path / "out").read_bytes()


@pytest.mark.parametrize("kind", list(COMPRESS))
@pytest.mark.parametrize("tar", [False, True])
def test_a_truncated_stream_is_refused_in_every_format(
    tmp_path: Path, kind: str, tar: bool
) -> None:
    whole = COMPRESS[kind](tar_bytes(("noise", NOISE)) if tar else NOISE)
    archive = tmp_path / "f"
    for cut in (len(whole) - 1, len(whole) // 2):
        archive.write_bytes(whole[:cut])
        with pytest.raises(ArchiveError, match="broken"):
            extract(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert [] == leftovers(tmp_path)


def test_a_tar_that_stops_between_members_is_refused(tmp_path: Path) -> None:
    whole = tar_bytes(("a", b"1"), ("b", b"2"))
    for broken in (whole[:1024], whole[:1024] + b"x" * 512 + whole[1536:]):
        (tmp_path / "f.tar").write_bytes(broken)
        with pytest.raises(ArchiveError, match="end mark"):
            extract(tmp_path / "f.tar", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_zip_member_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "f.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        file.writestr("noise", NOISE)
    damaged = bytearray(archive.read_bytes())
    damaged[1000] ^= 1
    archive.write_bytes(damaged)
    with pytest.raises(ArchiveError, match="CRC"):
        extract(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_no_archive_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"plain text")
    with pytest.raises(ArchiveError, match="not a zip, tar"):
        extract(tmp_path / "f", tmp_path / "out")
    with pytest.raises(ArchiveError, match="expected gz"):
        decompress(tmp_path / "f", tmp_path / "out")


def test_a_missing_zstd_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(600))
    for name in ("zstandard", "compression"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingPackageError, match="zstandard") as caught:
        extract(tmp_path / "f", tmp_path / "out")
    assert ["Run: pip install 'ctok[zstd]'"] == caught.value.suggestions()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert caught.value.extra is not None
    assert any(need.startswith(caught.value.package) for need in extras[caught.value.extra])


def test_executable_is_kept_and_nothing_else_of_the_mode(tmp_path: Path) -> None:
    info = tarfile.TarInfo("tool")
    info.mode = 0o6777
    (tmp_path / "f.tar").write_bytes(tar_bytes(info, ("plain", b"")))
    out = extract(tmp_path / "f.tar", tmp_path / "out")
    assert 0 == (out / "tool").stat().st_mode & (stat.S_ISUID | stat.S_ISGID)
    assert os.access(out / "tool", os.X_OK)
    assert not (out / "plain").stat().st_mode & stat.S_IXUSR


def test_links_that_stay_inside_are_made(tmp_path: Path) -> None:
    members = (
        special("latest", tarfile.SYMTYPE, "v2"),
        special("v2/up", tarfile.SYMTYPE, "../v1/f"),
        special("copy", tarfile.LNKTYPE, "v1/f"),
        ("v2/g", b"g"),
    )
    (tmp_path / "f.tar").write_bytes(tar_bytes(("v1/f", b"f"), *members))
    out = extract(tmp_path / "f.tar", tmp_path / "out")
    assert b"g" == (out / "latest" / "g").read_bytes()
    assert b"f" == (out / "latest" / "up").read_bytes()
    assert b"f" == (out / "copy").read_bytes()


# --- E35: a target is whole or absent ------------------------------------------------------


def test_a_complete_target_is_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write_archive(tmp_path / "f.zip", "zip")
    out = extract(archive, tmp_path / "out")
    os.utime(archive, ns=(1, 1))  # another time, the same content
    monkeypatch.setattr(extraction, "_place", lambda *_: pytest.fail("unpacked again"))
    assert out == extract(archive, tmp_path / "out")


def test_a_target_without_the_mark_is_not_trusted(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "f.zip", "zip")
    out = extract(archive, tmp_path / "out")
    (out / MARK).unlink()
    (out / "a.txt").write_bytes(b"half")
    with pytest.raises(TargetExistsError) as caught:
        extract(archive, out)
    assert isinstance(caught.value, FileExistsError)
    assert b"half" == (out / "a.txt").read_bytes()
    assert FILES == content(extract(archive, out, force=True))
    assert [] == leftovers(tmp_path)


def test_a_target_of_another_archive_is_not_trusted(tmp_path: Path) -> None:
    out = extract(write_archive(tmp_path / "f.zip", "zip"), tmp_path / "out")
    with pytest.raises(TargetExistsError):
        extract(write_archive(tmp_path / "g.tar", "tar"), out)


def test_an_interrupted_extraction_leaves_no_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = write_archive(tmp_path / "f.zip", "zip")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(extraction, "_sync_tree", interrupted)
        extract(archive, tmp_path / "out")
    assert ["f.zip"] == [path.name for path in tmp_path.iterdir() if path.name != "home"]
    assert FILES == content(extract(archive, tmp_path / "out"))


def test_a_killed_extraction_leaves_no_half_target(tmp_path: Path) -> None:
    archive = tmp_path / "f.tar"
    archive.write_bytes(tar_bytes(*((f"d/{n}", NOISE) for n in range(20))))
    code = """
import sys
from ctok.hub.extract import extract
print(flush=True)
extract(*sys.argv[1:])"""
    draw = random.Random(2)
    seen = set()
    for _ in range(12):
        out = tmp_path / "out"
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(archive), str(out)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(draw.random() * 0.05)
        process.kill()
        process.wait()
        process.stdout.close()
        seen.add(out.exists())
        if out.exists():
            assert 20 == len(content(out))
            shutil.rmtree(out)
    assert 20 == len(content(extract(archive, tmp_path / "out")))
    assert False in seen


def test_a_failed_replacement_keeps_the_old_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = write_archive(tmp_path / "f.zip", "zip")
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_bytes(b"kept")
    real = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if (self / MARK).exists():
            raise OSError(5, "input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="input/output"):
        extract(archive, out, force=True)
    assert {"mine": b"kept"} == content(out)


def test_threads_that_extract_at_once_all_get_everything(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "f.tar", "tar")
    failures: list[BaseException] = []

    def run() -> None:
        try:
            assert FILES == content(extract(archive, tmp_path / "out"))
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == failures
    assert [] == leftovers(tmp_path)


# --- E36: hostile archives ----------------------------------------------------------------

NAMES = [
    "/etc/passwd",
    "//server/share/x",
    "../x",
    "a/../../x",
    "a/..",
    "C:/x",
    "c:x",
    "..\\x",
    "\\\\server\\share",
    "a\\b",
    MARK,
]


@pytest.mark.parametrize("name", NAMES)
def test_member_names_that_leave_the_target_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "t").write_bytes(tar_bytes((name, b"x")))
    with zipfile.ZipFile(tmp_path / "z", "w") as file:
        file.writestr(zipfile.ZipInfo(name), b"x")
    for archive in ("t", "z"):
        with pytest.raises(UnsafeArchiveError) as caught:
            extract(tmp_path / archive, tmp_path / "in" / "out")
        assert caught.value.member
        assert caught.value.suggestions()
    assert [] == list((tmp_path / "in").iterdir())
    assert {"t", "z", "in", "home"} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    "members",
    [
        (special("l", tarfile.SYMTYPE, "/etc/passwd"),),
        (special("l", tarfile.SYMTYPE, "../victim"),),
        (special("l", tarfile.SYMTYPE, "a/../../victim"),),
        (special("l", tarfile.SYMTYPE, "C:\\x"),),
        (special("l", tarfile.SYMTYPE, ""),),
        (special("l", tarfile.SYMTYPE, "nowhere"),),
        (special("l", tarfile.SYMTYPE, "l"),),
        (special("a", tarfile.SYMTYPE, "b"), special("b", tarfile.SYMTYPE, "a")),
        (special("h", tarfile.LNKTYPE, "/etc/passwd"),),
        (special("h", tarfile.LNKTYPE, "../victim/f"),),
        (special("h", tarfile.LNKTYPE, "later"), ("later", b"x")),
        (special("d", tarfile.CHRTYPE),),
        (special("d", tarfile.BLKTYPE),),
        (special("d", tarfile.FIFOTYPE),),
        # A link out of the root in two steps, each harmless on paper.
        (
            ("p/q/f", b""),
            special("p/q/d", tarfile.SYMTYPE, "../.."),
            special("x", tarfile.SYMTYPE, "p/q/d/../victim"),
        ),
    ],
    ids=lambda members: "+".join(
        f"{m.name}={m.linkname}" if hasattr(m, "name") else m[0] for m in members
    ),
)
def test_links_out_of_the_target_and_devices_are_refused(
    tmp_path: Path, members: tuple[tarfile.TarInfo | tuple[str, bytes], ...]
) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "f").write_bytes(b"secret")
    (tmp_path / "evil.tar").write_bytes(tar_bytes(*members))
    with pytest.raises(UnsafeArchiveError):
        extract(tmp_path / "evil.tar", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert [] == leftovers(tmp_path)


@pytest.mark.parametrize("order", [1, -1])
def test_nothing_is_written_through_a_link(tmp_path: Path, order: int) -> None:
    """The member below the link makes a directory, so the link finds its name taken."""
    (tmp_path / "victim").mkdir()
    members = [special("d", tarfile.SYMTYPE, "real"), ("d/f", b"x")][::order]
    (tmp_path / "evil.tar").write_bytes(tar_bytes(("real/f", b"kept"), *members))
    with pytest.raises(ArchiveError, match="twice"):
        extract(tmp_path / "evil.tar", tmp_path / "out")


def test_zip_links_and_devices_follow_the_same_rules(tmp_path: Path) -> None:
    for kind, data in ((stat.S_IFLNK, b"../victim"), (stat.S_IFIFO, b""), (stat.S_IFCHR, b"")):
        info = zipfile.ZipInfo("x")
        info.create_system = 3
        info.external_attr = (kind | 0o777) << 16
        with zipfile.ZipFile(tmp_path / "evil.zip", "w") as file:
            file.writestr(info, data)
        with pytest.raises(UnsafeArchiveError):
            extract(tmp_path / "evil.zip", tmp_path / "out")


def test_a_member_that_comes_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f.tar").write_bytes(tar_bytes(("a", b"1"), ("./a", b"2")))
    with pytest.raises(ArchiveError, match="twice"):
        extract(tmp_path / "f.tar", tmp_path / "out")
    (tmp_path / "f.tar").write_bytes(tar_bytes(("a", b"1"), ("a/b", b"2")))
    with pytest.raises(ArchiveError, match="below a file"):
        extract(tmp_path / "f.tar", tmp_path / "out")


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "gz", "bz2", "xz", "zst"])
def test_a_bomb_is_stopped_by_its_ratio(tmp_path: Path, kind: str) -> None:
    zeros = bytes(8 << 20)
    archive = tmp_path / "bomb"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("zeros", zeros)
    elif kind == "tar.gz":
        archive.write_bytes(gzip.compress(tar_bytes(("zeros", zeros))))
    else:
        archive.write_bytes(COMPRESS[kind](zeros))
    with pytest.raises(ArchiveLimitError, match="times its size"):
        extract(archive, tmp_path / "out", limits=Limits(ratio_from=1 << 20))
    assert [] == leftovers(tmp_path)
    # The same archive is fine where so small an amount does no harm.
    assert len(zeros) == sum(map(len, content(extract(archive, tmp_path / "out")).values()))


def test_size_and_member_limits_hold(tmp_path: Path) -> None:
    (tmp_path / "f.tar").write_bytes(tar_bytes(("a", NOISE), ("b", b"")))
    with pytest.raises(ArchiveLimitError, match="100000 bytes"):
        extract(tmp_path / "f.tar", tmp_path / "out", limits=Limits(max_bytes=100_000))
    with pytest.raises(ArchiveLimitError, match="more than 1 members"):
        extract(tmp_path / "f.tar", tmp_path / "out", limits=Limits(max_members=1))
    with pytest.raises(ArchiveLimitError):
        decompress_big(tmp_path)


def decompress_big(folder: Path) -> None:
    (folder / "f.gz").write_bytes(gzip.compress(NOISE))
    decompress(folder / "f.gz", folder / "g", limits=Limits(max_bytes=1000))


def test_a_header_that_claims_a_huge_size_costs_no_memory(tmp_path: Path) -> None:
    info = special("x", tarfile.XHDTYPE)
    info.size = 1 << 40
    (tmp_path / "f.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    # Newer versions of tarfile read it in steps, and find the end after the first.
    with pytest.raises(ArchiveError, match=r"a header of more than|broken tar archive"):
        extract(tmp_path / "f.tar", tmp_path / "out")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize("first", [True, False])
def test_a_header_that_is_huge_costs_no_memory(tmp_path: Path, kind: bytes, first: bool) -> None:
    info = special("x", kind)
    info.size = 64 << 20
    with (tmp_path / "f.tar").open("wb") as file:
        if not first:
            file.write(special("a", tarfile.REGTYPE).tobuf(tarfile.GNU_FORMAT))
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.truncate(info.size + 4096)
    with pytest.raises(ArchiveError, match="a header of more than 8388608 bytes"):
        extract(tmp_path / "f.tar", tmp_path / "out")


def test_an_encrypted_zip_is_refused_by_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as file:
        file.writestr("a", b"x")
    data = bytearray((tmp_path / "f.zip").read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    (tmp_path / "f.zip").write_bytes(data)
    with pytest.raises(ArchiveError, match="encrypted"):
        extract(tmp_path / "f.zip", tmp_path / "out")
