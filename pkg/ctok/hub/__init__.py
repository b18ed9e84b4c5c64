"""Files of the Hugging Face Hub: fetched once, shared with huggingface_hub, never wrong.

The names and their arguments (every option after the star is a keyword)::

    download(repo, file, *, revision="main", repo_type="model", subfolder=None, token=None,
             cache_dir=None, local_dir=None, force=False, offline=None, local_files_only=False,
             prefer_cache=False, session=None, fetch=None, progress=None, expected_sha256=None,
             endpoint=None, timeout=None, dry_run=False, extract=False, extract_dir=None,
             layout="hub", chunk_size=..., rate_limit=None, lock_timeout=None, client=None) -> Path
    hf_hub_download(repo_id, filename, *, subfolder, repo_type, revision, cache_dir, local_dir,
                    force_download, token, local_files_only, endpoint, dry_run, ...) -> str
    resolve_file(repo_id, revision, filename, **options) -> Path
    snapshot_download(repo_id, *, repo_type="model", revision="main", allow_patterns=None,
                      ignore_patterns=None, max_workers=4, ...) -> Path
    download_stream(repo, file, ...) -> ByteStream    iterate it: bounded chunks, verified
    try_to_load_from_cache(repo_id, filename, ...) -> Path | KNOWN_ABSENT | None
    Client(endpoint=, token=, session=, offline=, timeout=, retry=, clock=)   reusable; .get_json()
"""
