"""What ``ctok.hub`` offers, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

from ctok import hub


def test_every_public_name_is_there_and_documented() -> None:
    assert sorted(set(hub.__all__)) == hub.__all__
    for name in hub.__all__:
        value = getattr(hub, name)
        if name != "KNOWN_ABSENT":
            assert value.__doc__, name


def test_every_public_error_of_the_tree_is_public_here() -> None:
    from ctok.hub import errors

    named = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.HubError | Warning)
    }
    assert named <= set(hub.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = hub.nothing_like_it


@pytest.mark.parametrize("name", ["download", "evict", "login", "snapshot_download"])
def test_no_module_hides_a_function(name: str) -> None:
    import ctok.hub.snapshot  # noqa: F401

    assert isinstance(getattr(hub, name), types.FunctionType)


def test_importing_the_hub_imports_no_network_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import ctok.hub\n"
        "from ctok.hub import download, try_to_load_from_cache\n"
        "heavy = {'requests', 'urllib3', 'portalocker', 'platformdirs', 'huggingface_hub', 'rich',"
        " 'numpy', 'tarfile', 'zipfile', 'concurrent.futures'}\n"
        "print(sorted(heavy & (set(sys.modules) - before)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "[]" == result.stdout.strip()
