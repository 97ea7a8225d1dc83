"""Fetching one file into the shared hub cache, resumed and checked before anybody sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from acetate.models.download_plan import CannotFetch, Download, explained
from acetate.models.hashing import file_hash
from acetate.models.hub_cache import cache_folder

OnProgress = Callable[[str, int, int], None]
"""Gets the name of a file, its bytes that are here, and its bytes in all; may raise to stop."""


def fetch(
    download: Download, on_progress: OnProgress | None = None, endpoint: str | None = None
) -> Path:
    """Fetch one file, from where an earlier try stopped, and return where it lies in the cache.

    The hub's own client starts large files anew after a crash, so the bytes are gathered here,
    beside the cache's blobs; once their hash is right, the client files them. A file with a
    wrong hash is thrown away. Raises CannotFetch.
    """
    import huggingface_hub
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import repo_folder_name
    from huggingface_hub.utils import WeakFileLock

    repository, name = download.repository, download.name
    url = hf_hub_url(repository, name, revision=download.revision, endpoint=endpoint)
    folder = repo_folder_name(repo_id=repository, repo_type="model")
    with explained(repository, endpoint):
        hub = cast("Any", huggingface_hub)  # It leaves open what headers and paths are.
        facts = hub.get_hf_file_metadata(url, endpoint=endpoint)
        # The tag becomes a file name, so it must be no more than a hash.
        if facts.etag is None or not facts.etag.isalnum() or facts.size is None:
            raise CannotFetch(f"{repository} does not say what {name} is, so it was not fetched.")
        blob = cache_folder() / folder / "blobs" / facts.etag
        lock = cache_folder() / ".locks" / folder / f"{facts.etag}.acetate.lock"
        for place in (blob, lock):
            place.parent.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(lock):
            if not blob.exists():
                part = blob.with_name(f"{facts.etag}.acetate")
                _gather(url, part, facts.size, download, on_progress)
                _keep_if_right(part, blob, download)
        return Path(
            hub.hf_hub_download(repository, name, revision=download.revision, endpoint=endpoint)
        )


def _gather(
    url: str, part: Path, size: int, download: Download, on_progress: OnProgress | None
) -> None:
    from huggingface_hub import file_download, utils

    here = part.stat().st_size if part.exists() else 0
    if here > size:
        part.unlink()
        here = 0
    with part.open("ab") as file:
        cast("Any", file_download).http_get(
            url,
            file,
            resume_size=here,
            headers=cast("Any", utils).build_hf_headers(),
            expected_size=size,
            tqdm_class=_counting_into(on_progress, download),
        )


def _keep_if_right(part: Path, blob: Path, download: Download) -> None:
    if download.sha256 and file_hash(part) != download.sha256:
        part.unlink()
        raise CannotFetch(
            f"{download.name} arrived with another content than {download.repository} published, "
            "and was thrown away: try again later."
        )
    part.replace(blob)


def _counting_into(on_progress: OnProgress | None, download: Download) -> Any:
    """A stand-in for the hub's progress bar."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            self.here = int(keywords.get("initial") or 0)
            cast("Any", super()).__init__(*arguments, **{**keywords, "disable": True})

        def update(self, n: float | None = 1) -> None:
            self.here += int(n or 0)
            if on_progress is not None:
                on_progress(download.name, self.here, download.size)

    return Bar
