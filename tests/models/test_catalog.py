from __future__ import annotations

import re

import pytest

from acetate.errors import BadRequest
from acetate.models.catalog import catalog, entry_named
from acetate.models.families import FAMILIES
from acetate_bridge.protocol.known_needs import KNOWN_NEEDS
from acetate_bridge.protocol.licences import licence_link


def test_every_model_can_do_something_and_says_its_licence() -> None:
    for entry in catalog().values():
        assert entry.modes and entry.licence and entry.name and entry.memory > 0
        assert entry.frame.lowest <= entry.native <= entry.frame.highest
        assert bool(entry.base) == bool(entry.base_licence) == (entry.id != "embedded")


def test_every_mode_of_a_model_has_the_files_it_needs() -> None:
    for entry in catalog().values():
        for mode in entry.modes:
            names = {file.name for file in entry.files_for((mode,))}
            assert names or not entry.parts
        for part in entry.parts:
            assert set(part.modes) <= set(entry.modes)


def test_official_files_are_pinned_by_revision_and_hash() -> None:
    files = {part.file.id: part.file for entry in catalog().values() for part in entry.parts}
    official = [file for file in files.values() if file.repository.startswith("LayerDiffusion/")]
    assert len(official) == 14
    for file in official:
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert re.fullmatch("[0-9a-f]{40}", file.revision or "")
        assert file.size > 0
    assert len({file.sha256 for file in official}) == 14


def test_only_the_files_of_a_mode_are_needed_for_it() -> None:
    names = {file.id for file in entry_named("sdxl").files_for(("text",))}
    assert names == {
        "vae_transparent_encoder",
        "vae_transparent_decoder",
        "layer_xl_transparent_attn",
    }


def test_an_unknown_model_is_refused() -> None:
    with pytest.raises(BadRequest, match="no model called “nosuch”"):
        entry_named("nosuch")


def test_what_panels_know_of_models_without_a_server_is_what_the_catalog_says() -> None:
    assert KNOWN_NEEDS == tuple(
        (entry.id, entry.name, entry.memory) for entry in catalog().values()
    )


def test_every_model_that_is_fetched_says_how_large_it_is() -> None:
    for entry in catalog().values():
        assert not entry.base or entry.base_size > 1000, entry.id
    assert round(catalog()["sdxl"].size / 1e3, 1) == 13.6


def test_rows_whose_files_were_not_run_here_say_so_and_are_whole() -> None:
    for model in ("sd15-light", "qwen21", "qwen", "qwen-edit", "flux2"):
        entry = entry_named(model)
        assert "not run here" in entry.name
        assert licence_link(entry.licence) and licence_link(entry.base_licence)
        networks = {name for name in FAMILIES[entry.family].networks if name != "text_encoder_2"}
        for network in networks & {pattern.partition("/")[0] for pattern in entry.base_files}:
            assert entry.needs_of_base(f"{network}/config.json")
        pins = [entry.revision, *(part.file.revision for part in entry.parts)]
        assert all(re.fullmatch("[0-9a-f]{40}", pin or "") for pin in pins)
        assert entry.needs_of_base("scheduler/scheduler_config.json")
        assert entry.needs_of_base("model_index.json")
        assert entry.networks
