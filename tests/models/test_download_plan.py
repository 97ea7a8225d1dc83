from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from acetate.models.catalog import Entry, Part, WeightFile
from acetate.models.download_plan import CannotFetch, Download, check_room, plan_downloads
from acetate.models.hub_cache import missing_parts, remove
from acetate.models.hub_download import fetch
from tests.models.conftest import WEIGHTS
from tests.models.hub_server import COMMIT, Hub

SHA = hashlib.sha256(WEIGHTS).hexdigest()
FILE = WeightFile("w", "someone/weights", "w.safetensors", 2, SHA, COMMIT)
ENTRY = Entry(
    id="test",
    name="Test",
    family="sd15",
    modes=("text", "joint"),
    licence="mit",
    memory=1,
    native=512,
    base="someone/base",
    base_licence="mit",
    base_files=("model_index.json", "scheduler/*"),
    parts=(Part(FILE, ("text",)),),
)
DOWNLOAD = Download(FILE.repository, FILE.name, COMMIT, len(WEIGHTS), SHA)


def left_behind(tmp_path: Path) -> list[str]:
    """Files that look complete to anybody who reads the cache."""
    cache = tmp_path / "cache"
    return sorted(
        path.name for path in cache.rglob("*") if path.is_file() and "snapshots" in path.parts
    )


def test_a_plan_names_what_is_missing_and_nothing_else(hub: Hub) -> None:
    plan = plan_downloads(ENTRY, endpoint=hub.address)
    assert [(each.name, each.size) for each in plan] == [
        ("w.safetensors", len(WEIGHTS)),
        ("model_index.json", 2),
        ("scheduler/config.json", 3),
    ]
    assert plan[0] == DOWNLOAD
    assert [each.name for each in plan_downloads(ENTRY, ("joint",), hub.address)] == [
        "model_index.json",
        "scheduler/config.json",
    ]


def test_what_was_fetched_is_equal_byte_for_byte_and_found_again(hub: Hub) -> None:
    assert missing_parts(ENTRY) == ["someone/base", "w.safetensors"]
    for download in plan_downloads(ENTRY, endpoint=hub.address):
        path = fetch(download, endpoint=hub.address)
        assert path.read_bytes() == hub.files[download.repository][download.name]
    assert missing_parts(ENTRY) == []
    assert plan_downloads(ENTRY, endpoint=hub.address) == []


def test_progress_counts_up_to_the_size(hub: Hub) -> None:
    seen: list[tuple[str, int, int]] = []
    fetch(DOWNLOAD, lambda *news: seen.append(news), hub.address)
    assert seen[-1] == ("w.safetensors", len(WEIGHTS), len(WEIGHTS))
    assert [here for _, here, _ in seen] == sorted(here for _, here, _ in seen)


def test_a_download_that_was_cut_resumes_by_itself(hub: Hub) -> None:
    hub.cuts = 1
    assert fetch(DOWNLOAD, endpoint=hub.address).read_bytes() == WEIGHTS
    assert resumed_at(hub) > len(WEIGHTS) // 3
    assert hub.sent < len(WEIGHTS) * 1.1


def test_a_download_that_broke_off_resumes_when_pulled_again(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
    hub.cuts = 99
    with pytest.raises(CannotFetch, match="broke off"):
        fetch(DOWNLOAD, endpoint=hub.address)
    assert left_behind(tmp_path) == []
    hub.cuts = hub.sent = 0
    hub.ranges.clear()
    assert fetch(DOWNLOAD, endpoint=hub.address).read_bytes() == WEIGHTS
    assert resumed_at(hub) > len(WEIGHTS) // 3
    assert hub.sent < len(WEIGHTS) * 0.7


def resumed_at(hub: Hub) -> int:
    """Where the last download that asked for a range began."""
    return int(hub.ranges[-1].removeprefix("bytes=").rstrip("-"))


def test_a_redirect_is_followed(hub: Hub) -> None:
    hub.redirected = True
    assert fetch(DOWNLOAD, endpoint=hub.address).read_bytes() == WEIGHTS


def test_a_wrong_hash_is_noticed_and_the_file_thrown_away(hub: Hub, tmp_path: Path) -> None:
    hub.tampered = True
    with pytest.raises(CannotFetch, match=r"w\.safetensors arrived with another content"):
        fetch(DOWNLOAD, endpoint=hub.address)
    assert left_behind(tmp_path) == []
    hub.tampered = False
    assert fetch(DOWNLOAD, endpoint=hub.address).read_bytes() == WEIGHTS


def test_too_small_a_disk_is_noticed_before(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_room([DOWNLOAD])
    full = shutil.disk_usage(tmp_path)._replace(free=300 * 10**6)
    monkeypatch.setattr("shutil.disk_usage", lambda path: full)
    with pytest.raises(CannotFetch, match=r"0\.3 GB free, but the download needs 3\.3 GB"):
        check_room([replace(DOWNLOAD, size=3 * 10**9)])


def test_offline_is_respected(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(CannotFetch, match="HF_HUB_OFFLINE"):
        plan_downloads(ENTRY, endpoint=hub.address)
    with pytest.raises(CannotFetch, match="HF_HUB_OFFLINE"):
        fetch(DOWNLOAD, endpoint=hub.address)


def test_refusals_are_explained(hub: Hub, tmp_path: Path) -> None:
    hub.gated.add("someone/weights")
    with pytest.raises(CannotFetch, match="accepted its terms"):
        plan_downloads(ENTRY, endpoint=hub.address)
    hub.gated.clear()
    del hub.files["someone/base"]
    with pytest.raises(CannotFetch, match="no someone/base"):
        plan_downloads(ENTRY, endpoint=hub.address)
    del hub.files["someone/weights"]["w.safetensors"]
    with pytest.raises(CannotFetch, match=r"no longer has w\.safetensors"):
        plan_downloads(ENTRY, ("text",), hub.address)
    with pytest.raises(CannotFetch, match="file of someone/weights cannot be found"):
        fetch(DOWNLOAD, endpoint=hub.address)
    assert left_behind(tmp_path) == []


def test_two_pulls_at_once_fetch_it_once(hub: Hub) -> None:
    with ThreadPoolExecutor(2) as pool:
        paths = list(pool.map(lambda _: fetch(DOWNLOAD, endpoint=hub.address), range(2)))
    assert paths[0] == paths[1]
    assert paths[0].read_bytes() == WEIGHTS
    assert hub.sent == len(WEIGHTS)


def test_removing_frees_the_weights_and_leaves_the_base(hub: Hub, tmp_path: Path) -> None:
    for download in plan_downloads(ENTRY, endpoint=hub.address):
        fetch(download, endpoint=hub.address)
    assert remove(ENTRY) == len(WEIGHTS)
    assert left_behind(tmp_path) == ["config.json", "model_index.json"]
    assert (
        sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*") if path.is_file())
        < 2000
    )


def test_a_file_that_the_hub_has_in_another_form_is_not_fetched_and_not_for_ever(hub: Hub) -> None:
    other = Part(replace(FILE, sha256="0" * 64), ("text",))
    with pytest.raises(CannotFetch, match="another content .SHA-256") as error:
        plan_downloads(replace(ENTRY, parts=(other,)), endpoint=hub.address)
    assert "later" not in error.value.message and "import it" in error.value.hint
    assert hub.sent < 10_000


def test_what_no_longer_matches_is_named(hub: Hub) -> None:
    entry = replace(ENTRY, base_files=(*ENTRY.base_files, "vae/*"))
    with pytest.raises(CannotFetch, match=r"nothing that is called vae/\*"):
        plan_downloads(entry, endpoint=hub.address)


def test_a_gate_is_asked_before_anything_is_fetched(hub: Hub) -> None:
    for repository in ("someone/base", "someone/weights"):
        hub.gated, hub.listed = {repository}, {repository}
        with pytest.raises(CannotFetch, match="accepted its terms"):
            plan_downloads(ENTRY, endpoint=hub.address)
    hub.gated = set()
    assert plan_downloads(ENTRY, endpoint=hub.address)


def test_a_base_is_fetched_at_the_revision_of_the_catalog(hub: Hub) -> None:
    entry = replace(ENTRY, revision=COMMIT)
    plan = plan_downloads(entry, endpoint=hub.address)
    assert {each.revision for each in plan} == {COMMIT}
    for download in plan:
        fetch(download, endpoint=hub.address)
    assert missing_parts(entry) == []
