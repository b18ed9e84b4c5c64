"""Files of the Hugging Face Hub: fetched once, shared with huggingface_hub, never wrong.

::

    from ctok import hub

    path = hub.download("org/name", "tokenizer.json")               # one file
    folder = hub.snapshot_download("org/name", allow_patterns="*.json")
    with hub.download_stream("org/name", "model.bin") as chunks: ...
    hub.try_to_load_from_cache("org/name", "tokenizer.json")        # no network
    hub.fs.open("hf://org/name@main/config.json")                   # seekable, by ranges

``files.py`` says what the options mean, ``errors.py`` draws what can be raised, and
docs/how-to/hub.md tells how to work offline, through mirrors and with gated repositories. A
module is imported when one of its names is used for the first time: importing this package
costs next to nothing and needs neither the compiled core nor requests.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ctok.hub import errors as errors
    from ctok.hub import extract as extract
    from ctok.hub import fs as fs
    from ctok.hub.api import *  # noqa: F403
    from ctok.hub.auth import *  # noqa: F403
    from ctok.hub.bundle import *  # noqa: F403
    from ctok.hub.cache import *  # noqa: F403
    from ctok.hub.cleanup import *  # noqa: F403
    from ctok.hub.compressed import *  # noqa: F403
    from ctok.hub.datafiles import *  # noqa: F403
    from ctok.hub.errors import *  # noqa: F403
    from ctok.hub.extract import TargetExistsError as TargetExistsError
    from ctok.hub.files import *  # noqa: F403
    from ctok.hub.http import *  # noqa: F403
    from ctok.hub.integrity import *  # noqa: F403
    from ctok.hub.lockfile import *  # noqa: F403
    from ctok.hub.pinning import *  # noqa: F403
    from ctok.hub.reference import *  # noqa: F403
    from ctok.hub.retry import *  # noqa: F403
    from ctok.hub.snapshot import *  # noqa: F403
    from ctok.hub.stream import *  # noqa: F403

# Module: what it gives to this package.
_NAMES = {
    "api": (
        "dataset_info get_paths_info GitRef list_datasets list_files list_models "
        "list_repo_refs list_repo_tree list_repos list_spaces model_info repo_exists "
        "repo_info RepoFile RepoFolder RepoInfo RepoRefs space_info"
    ),
    "auth": "Account login logout whoami",
    "bundle": "BundleError export_bundle import_bundle",
    "cache": (
        "cache_path CachedFile CachedRepo CachedRevision CacheInfo is_cached KNOWN_ABSENT "
        "scan_cache try_to_load_from_cache"
    ),
    "cleanup": "clear_cache delete_revisions Deletion evict remove_partial_downloads",
    "compressed": "ArchiveError ArchiveLimitError Limits UnsafeArchiveError",
    "datafiles": "data_files dataset_configs dataset_splits",
    "errors": (
        "AuthenticationError BadRequestError CacheInUseError CacheNotFoundError "
        "CacheWriteError ChecksumError CircuitOpenError CorruptedCacheError DisabledRepoError "
        "DiskFullError EntryNotFoundError GatedRepoError HubConnectionError HubError "
        "HubHTTPError HubTimeoutError HubValidationError IncompleteSnapshotError "
        "LocalEntryNotFoundError LocalTokenNotFoundError LockTimeoutError "
        "OfflineEntryNotFoundError OfflineModeError RateLimitError ReadOnlyCacheError "
        "RemoteEntryNotFoundError RepositoryNotFoundError RevisionNotFoundError SnapshotError "
        "StaleFileWarning TruncatedError UnreachableEntryError VerificationError"
    ),
    "extract": "TargetExistsError",
    "files": "download DownloadOptions FileOptions hf_hub_download PlannedFile resolve_file",
    "http": "Client",
    "integrity": "Damage verify_cache VerifyReport",
    "lockfile": "FrozenError Lock LockFileNotFoundError read_lock write_lock",
    "pinning": "pin_repo",
    "reference": "parse_reference Reference",
    "retry": "Breakers Clock RetryPolicy",
    "snapshot": "snapshot_download",
    "stream": "ByteStream download_stream",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}
_MODULES = ("errors", "extract", "fs")

__all__ = sorted([*_HOME, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOME[name]}")
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
