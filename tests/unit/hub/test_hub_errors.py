"""The exceptions: their tree, what they carry and advise (G02, G04, G06, G13)."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest

from ctok.errors import CtokError, ValidationError
from ctok.hub import errors

FACTS: dict[str, Any] = {
    "repo_id": "org/name",
    "revision": "main",
    "filename": "a.json",
    "access_url": "https://hub/org/name",
    "retry_after": 5.0,
    "failures": {},
    "owner": None,
    "url": "https://hub/x",
    "path": "/c",
}
ALL = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, errors.HubError)
]


@pytest.mark.parametrize(
    ("name", "bases"),
    [
        ("RepositoryNotFoundError", (errors.HubHTTPError, OSError)),
        ("GatedRepoError", (errors.RepositoryNotFoundError,)),
        ("DisabledRepoError", (errors.HubHTTPError,)),
        ("RevisionNotFoundError", (errors.HubHTTPError,)),
        ("RemoteEntryNotFoundError", (errors.EntryNotFoundError, errors.HubHTTPError)),
        ("LocalEntryNotFoundError", (errors.EntryNotFoundError, FileNotFoundError)),
        ("OfflineModeError", (ConnectionError,)),
        ("OfflineEntryNotFoundError", (errors.OfflineModeError, FileNotFoundError)),
        ("UnreachableEntryError", (ConnectionError, FileNotFoundError)),
        ("IncompleteSnapshotError", (FileNotFoundError,)),
        ("HubHTTPError", (OSError,)),
        ("BadRequestError", (errors.HubHTTPError, ValueError)),
        ("LocalTokenNotFoundError", (OSError,)),
        ("CacheNotFoundError", (FileNotFoundError,)),
        ("CorruptedCacheError", (errors.HubError,)),
        ("HubValidationError", (ValidationError, ValueError)),
        ("HubTimeoutError", (TimeoutError, ConnectionError)),
        ("LockTimeoutError", (TimeoutError,)),
        ("ReadOnlyCacheError", (PermissionError, errors.CacheWriteError)),
        ("AuthenticationError", (PermissionError, errors.HubHTTPError)),
    ],
)
def test_g04_each_is_what_its_callers_catch(name: str, bases: tuple[type, ...]) -> None:
    for base in (CtokError, errors.HubError, *bases):
        assert issubclass(getattr(errors, name), base)


@pytest.mark.parametrize("kind", ALL)
def test_g02_each_advises_in_one_line_each(kind: type[errors.HubError]) -> None:
    advice = kind("something", **FACTS).suggestions()
    assert advice
    assert all(each.strip() == each and "\n" not in each for each in advice)


@pytest.mark.parametrize("kind", ALL)
def test_g06_each_has_a_category_an_exit_code_and_survives_pickling(
    kind: type[errors.HubError],
) -> None:
    error = kind("something", **FACTS)
    assert error.category in ("validation", "api_connection", "api_status", "request_failed")
    assert error.exit_code in (1, 11, 14, 15)
    again = pickle.loads(pickle.dumps(error))
    assert (str(error), error.suggestions(), vars(error)) == (
        str(again),
        again.suggestions(),
        vars(again),
    )


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.GatedRepoError, 11),
        (errors.AuthenticationError, 11),
        (errors.LocalTokenNotFoundError, 11),
        (errors.HubConnectionError, 14),
        (errors.OfflineModeError, 14),
        (errors.UnreachableEntryError, 14),
        (errors.RateLimitError, 14),
        (errors.ChecksumError, 15),
        (errors.TruncatedError, 15),
        (errors.HubValidationError, 1),
    ],
)
def test_g13_exit_codes(kind: type[errors.HubError], code: int) -> None:
    assert code == kind.exit_code


@pytest.mark.parametrize(
    ("status", "mine"),
    [(400, True), (404, True), (408, False), (429, False), (500, False), (503, False)],
)
def test_g06_whose_fault_a_status_is(status: int, mine: bool) -> None:
    assert mine is errors.HubHTTPError("x", status=status, url="u").user_error


def test_g06_whose_fault_the_rest_is() -> None:
    assert errors.HubValidationError("x", value=1).user_error
    assert not errors.HubConnectionError("x", url="u").user_error
