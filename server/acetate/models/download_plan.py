"""What has to be fetched for a model, whether it fits, and why it cannot be had."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from acetate.models.catalog import Entry
from acetate.models.hub_cache import cache_folder, located_file, missing_base
from acetate.models.hub_hosts import CannotFetch, keep_to_known_hosts
from acetate.models.proxies import set_proxies, usable_proxies

_SPARE = 256 * 2**20
"""Bytes that a download leaves free."""


@dataclass(frozen=True)
class Download:
    """A file still to be fetched; `size` in bytes, `sha256` where it is published."""

    repository: str
    name: str
    revision: str | None
    size: int
    sha256: str = ""


def plan_downloads(
    entry: Entry, modes: tuple[str, ...] | None = None, endpoint: str | None = None
) -> list[Download]:
    """What these modes of a model (default: all) lack here. Raises CannotFetch.

    Asks the hub for sizes, so that the disk can be looked at before anything is fetched.
    """
    from huggingface_hub import HfApi

    wanted = entry.files_for(modes or entry.modes)
    by_repository: dict[str, tuple[str | None, dict[str, str]]] = {}
    for file in wanted:
        revision, names = by_repository.setdefault(file.repository, (file.revision, {}))
        names[file.name] = file.sha256
    downloads: list[Download] = []
    api = HfApi(endpoint=endpoint)
    for repository, (revision, names) in by_repository.items():
        downloads += _listed(_Repository(api, repository, revision), names.__contains__, names)
    if entry.base and missing_base(entry):
        base = _Repository(api, entry.base, entry.revision)
        found = _listed(base, entry.needs_of_base, {})
        for pattern in entry.base_files:
            if not any(fnmatch(download.name, pattern) for download in found):
                raise CannotFetch(
                    f"{entry.base} has nothing that is called {pattern}, which {entry.name} needs: "
                    "it has changed since this version of Acetate."
                )
        downloads += found
    return downloads


def check_room(downloads: list[Download]) -> None:
    """Raise CannotFetch unless the disk of the cache has room for all of them."""
    need = sum(download.size for download in downloads) + _SPARE
    folder, have = cache_folder(), free_bytes()
    if need > have:
        raise CannotFetch(
            f"The disk of {folder} has {have / 1e9:.1f} GB free, "
            f"but the download needs {need / 1e9:.1f} GB."
        )


def free_bytes() -> int:
    """What is free on the disk of the cache."""
    folder = cache_folder()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


@dataclass(frozen=True)
class _Repository:
    """A repository at a revision, asked at the hub."""

    api: Any
    name: str
    revision: str | None

    def describe(self) -> Any:
        with explained(self.name, self.api.endpoint):
            return self.api.model_info(self.name, revision=self.revision, files_metadata=True)

    def check_gate(self, info: Any) -> None:
        """Raise CannotFetch where its files are only for some, before the first is fetched."""
        if getattr(info, "gated", None):
            with explained(self.name, self.api.endpoint):
                self.api.auth_check(self.name)


def _listed(
    asked: _Repository, wanted: Callable[[str], bool], hashes: dict[str, str]
) -> list[Download]:
    """Of the files of a repository those that are wanted and not here."""
    info, repository, revision = asked.describe(), asked.name, asked.revision
    for sibling in info.siblings:
        # The list is content of others: its names become names of files here.
        parts = str(sibling.rfilename).replace("\\", "/").split("/")
        if wanted(sibling.rfilename) and ({"", ".", ".."} & set(parts) or ":" in parts[0]):
            raise CannotFetch(f"{repository} lists a file whose name leads out of its folder.")
    found = {sibling.rfilename: sibling for sibling in info.siblings if wanted(sibling.rfilename)}
    if missing := set(hashes) - set(found):
        raise CannotFetch(f"{repository} no longer has {', '.join(sorted(missing))}.")
    lacking = [name for name in found if located_file(repository, name, revision) is None]
    if lacking:
        asked.check_gate(info)
    return [_download(asked, found[name], hashes.get(name, "")) for name in lacking]


def _download(asked: _Repository, sibling: Any, known: str) -> Download:
    """Raises CannotFetch where the hub says that a file is another than this version knows."""
    published = str(sibling.lfs.sha256) if sibling.lfs else ""
    if known and published and published != known:
        raise CannotFetch(
            f"{asked.name} publishes {sibling.rfilename} with another content (SHA-256 "
            f"{published[:12]}…) than this version of Acetate knows ({known[:12]}…), "
            "so it was not fetched.",
            "If you trust it all the same, fetch it yourself and import it "
            "(`acetate models import`).",
        )
    return Download(
        asked.name, sibling.rfilename, asked.revision, sibling.size or 0, known or published
    )


@contextmanager
def explained(repository: str, endpoint: str | None = None) -> Generator[None]:
    """Turn the hub's errors, and those of the proxy before it, into sentences."""
    import httpx2
    from huggingface_hub import errors

    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise CannotFetch("Downloads are switched off by HF_HUB_OFFLINE: unset it to fetch models.")
    try:
        with usable_proxies():
            keep_to_known_hosts(endpoint)
            yield
    except errors.GatedRepoError as error:
        raise CannotFetch(
            f"{repository} is only for people who have accepted its terms at the hub.",
            "Accept them there, then log in with `hf auth login`.",
        ) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise CannotFetch(f"The hub has no {repository}, or only for others.") from error
    except errors.EntryNotFoundError as error:
        raise CannotFetch(f"A file of {repository} cannot be found at the hub.") from error
    except (errors.HfHubHTTPError, httpx2.HTTPError, OSError) as error:
        proxies = ", ".join(set_proxies())
        raise CannotFetch(
            f"The download from {repository} broke off: {_first_line(error)}",
            f"It went through the proxy that {proxies} names: is it right, and running?"
            if proxies and isinstance(error, httpx2.TransportError)
            else "Pull again; it resumes where it stopped.",
        ) from error
    except (httpx2.InvalidURL, ValueError, ImportError) as error:
        if not (proxies := ", ".join(set_proxies())):
            raise
        raise CannotFetch(
            f"The proxy that {proxies} names cannot be used: {_first_line(error)}",
            "Set it to http://HOST:PORT or socks5://HOST:PORT, or unset it.",
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".") + "."
