from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from acetate.models.catalog import WeightFile, entry_named
from acetate.models.hub_cache import (
    Checked,
    base_folder,
    folder_of_base,
    located,
    missing_base,
    missing_parts,
    verify,
)

REVISION = "e337e9d7a0f2a6fee6c3580374327380f88d065b"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def put(cache: Path, repository: str, name: str, content: bytes) -> Path:
    """A file as the hub's own client leaves it."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    (folder / "refs" / "main").write_text(REVISION)
    snapshot = folder / "snapshots" / REVISION
    snapshot.mkdir(parents=True, exist_ok=True)
    (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
    (snapshot / name).write_bytes(content)
    return snapshot / name


def test_files_of_the_shared_cache_are_found(cache: Path) -> None:
    file = WeightFile("x", "someone/weights", "w.safetensors", 1, revision=REVISION)
    assert located(file) is None
    path = put(cache, "someone/weights", "w.safetensors", b"weights")
    assert located(file) == path
    assert located(replace(file, revision="0" * 40)) is None


def test_a_base_is_found_by_its_index(cache: Path) -> None:
    assert base_folder("someone/base") is None
    path = put(cache, "someone/base", "model_index.json", b"{}")
    assert base_folder("someone/base") == path.parent


def test_what_a_mode_lacks_is_named(cache: Path) -> None:
    entry = entry_named("sd15")
    assert entry.base in missing_parts(entry)
    for name in entry.base_files:
        put(cache, entry.base, name.replace("*", "config.json"), b"{}")
    for file in entry.files_for(("joint",)):
        put(cache, file.repository, file.name, b"weights")
    assert missing_parts(entry, ("joint",)) == []
    assert missing_parts(entry, ("text",)) == ["layer_sd15_transparent_attn.safetensors"]


def test_a_base_with_its_index_alone_counts_as_absent(cache: Path) -> None:
    entry = entry_named("flux")
    put(cache, entry.base, "model_index.json", b"{}")
    assert missing_base(entry) == entry.base
    for name in entry.base_files:
        put(cache, entry.base, name.replace("*", "config.json"), b"{}")
    assert missing_base(entry) == entry.base
    index = json.dumps({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}})
    for network in ("transformer", "vae", "text_encoder", "text_encoder_2"):
        put(cache, entry.base, f"{network}/model.safetensors.index.json", index.encode())
        put(cache, entry.base, f"{network}/one.safetensors", b"")
    assert missing_base(entry) == entry.base
    for network in ("transformer", "vae", "text_encoder", "text_encoder_2"):
        put(cache, entry.base, f"{network}/two.safetensors", b"")
    assert missing_base(entry) == ""


def test_the_pinned_revision_of_a_base_comes_before_another(cache: Path) -> None:
    entry = replace(entry_named("sd15"), base_files=("model_index.json",))
    older = put(cache, entry.base, "model_index.json", b"{}")
    assert folder_of_base(entry) == older.parent
    pinned = older.parent.parent / str(entry.revision)
    pinned.mkdir()
    (pinned / "model_index.json").write_bytes(b"{}")
    assert folder_of_base(entry) == pinned


def test_hashes_tell_good_files_from_damaged_ones(cache: Path) -> None:
    entry = entry_named("sd15")
    first, second, third = entry.parts[:3]
    good = replace(first, file=replace(first.file, sha256=hashlib.sha256(b"good").hexdigest()))
    unknown = replace(third, file=replace(third.file, sha256=""))
    for part in (good, second, unknown):
        put(cache, part.file.repository, part.file.name, b"good")
    entry = replace(entry, parts=(good, second, unknown, *entry.parts[3:4]))
    assert verify(entry) == [
        Checked(good.file, "good"),
        Checked(second.file, "damaged"),
        Checked(unknown.file, "unknown"),
        Checked(entry.parts[3].file, "missing"),
    ]
