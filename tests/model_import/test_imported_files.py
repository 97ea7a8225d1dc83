from __future__ import annotations

import hashlib
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from acetate.errors import BadRequest, ModelMissing
from acetate.model_import.imported_files import control_kind, import_file
from acetate.model_import.importing import import_any
from acetate.models.catalog import entry_named
from acetate.models.hub_cache import locate
from acetate.models.identify import NotRecognised
from acetate.models.own_register import (
    CannotImport,
    own_file,
    own_files,
    own_folder,
    remove_own,
    safe_name,
)

TO_K = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
STYLE = {
    f"{TO_K}.lora_A.weight": torch.ones(2, 768),
    f"{TO_K}.lora_B.weight": torch.ones(320, 2),
}


@pytest.fixture(autouse=True)
def empty_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def style(tmp_path: Path) -> Path:
    path = tmp_path / "ink.safetensors"
    save_file(STYLE, path)
    return path


def test_a_file_is_linked_and_listed(style: Path) -> None:
    own = import_file(style)
    assert (own.name, own.role, own.families) == ("ink.safetensors", "style", ("sd15",))
    assert own.sha256 == hashlib.sha256(style.read_bytes()).hexdigest()
    assert own_files() == [own]
    path = own_file(own.name)
    assert path is not None and path.samefile(style)


def test_where_links_fail_it_is_copied(style: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "symlink", refuse)
    path = own_file(import_file(style).name)
    assert path is not None and not path.samefile(style)
    assert path.read_bytes() == style.read_bytes()


def test_forgetting_leaves_the_original(style: Path) -> None:
    own = import_file(style)
    remove_own(own.name)
    assert own_files() == [] and own_file(own.name) is None
    assert style.exists()
    with pytest.raises(BadRequest, match="Nothing called"):
        remove_own(own.name)


def test_a_file_of_the_catalog_gets_its_published_name(
    style: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = entry_named("sd15")
    part = entry.parts[0]
    known = replace(part.file, sha256=hashlib.sha256(style.read_bytes()).hexdigest())
    entries = {"sd15": replace(entry, parts=(replace(part, file=known),))}
    monkeypatch.setattr("acetate.model_import.imported_files.catalog", lambda: entries)
    assert locate(known.id) is None
    assert import_file(style).name == known.name
    path = locate(known.id)
    assert path is not None and path.samefile(style)


def test_a_file_is_imported_once(style: Path) -> None:
    import_file(style)
    with pytest.raises(CannotImport, match="imported already"):
        import_file(style)


def test_pickled_weights_become_safetensors(tmp_path: Path) -> None:
    torch.save({"state_dict": STYLE}, tmp_path / "ink.pth")
    path = own_file(import_file(tmp_path / "ink.pth").name)
    assert path is not None
    read = load_file(path)
    assert all(torch.equal(read[name], STYLE[name]) for name in STYLE)


class Poison:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.trace),)


def test_a_poisoned_pickle_runs_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "executed"
    torch.save({"weight": Poison(trace)}, tmp_path / "new.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps({"weight": Poison(trace)}))
    for name in ("new.pth", "old.pth"):
        with pytest.raises(CannotImport, match=f"{name} was not imported: it holds more than"):
            import_file(tmp_path / name)
    assert not trace.exists()
    assert own_files() == []
    assert list(own_folder().iterdir()) == []


def test_what_cannot_be_used_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    save_file({"embedding": torch.ones(2)}, tmp_path / "words.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(b"\x20\0\0\0\0\0\0\0{")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty.pth").write_bytes(b"")
    for name, error in (
        ("words.safetensors", NotRecognised),
        ("cut.safetensors", NotRecognised),
        ("notes.txt", NotRecognised),
        ("empty.pth", NotRecognised),
        ("missing.safetensors", CannotImport),
    ):
        with pytest.raises(error):
            import_file(tmp_path / name)
    assert own_files() == [] and list(own_folder().iterdir()) == []


@pytest.mark.parametrize(
    "stem", ["..", "../../etc/passwd", "墨水", "x" * 1000, "CON:ink*?", ".hidden"]
)
def test_names_become_safe(stem: str) -> None:
    name = safe_name(stem)
    assert name.isascii() and len(name) < 100
    assert Path(name).name == name and not name.startswith((".", "-"))


def test_different_names_stay_different() -> None:
    assert (
        len({safe_name(stem) for stem in ("墨水", "墨汁", "x" * 100, "x" * 101, "a b", "a-b")}) == 6
    )


@pytest.mark.parametrize("name", ["../ink.safetensors", "/etc/passwd", "imported.json"])
def test_only_listed_names_are_found(style: Path, name: str) -> None:
    import_file(style)
    assert own_file(name) is None


def test_a_link_that_leads_out_of_the_folder_is_not_followed(style: Path, tmp_path: Path) -> None:
    own = import_file(style)
    secret = tmp_path / "secret.safetensors"
    save_file(STYLE, secret)
    (own_folder() / own.name).unlink()
    (own_folder() / own.name).symlink_to(secret)
    assert own_file(own.name) is None
    (own_folder() / own.name).unlink()
    (own_folder() / own.name).symlink_to(style)
    assert own_file(own.name) == own_folder() / own.name


@pytest.mark.parametrize("name", ["../x", "..", "a/../b", "/etc/passwd", "a//b", "x" * 1000 + "/y"])
def test_names_that_lead_elsewhere_are_no_bases_of_the_hub(name: str) -> None:
    with pytest.raises((CannotImport, NotRecognised, ModelMissing)):
        import_any(name)
    assert own_files() == []


@pytest.mark.parametrize("stem", ["x" * 200, "筆", "Ünïcode 墨 ink", "..a..b.."])
def test_long_and_foreign_names_are_stored_safely(stem: str, tmp_path: Path) -> None:
    path = tmp_path / f"{stem}.safetensors"
    save_file(STYLE, path)
    own = import_file(path)
    assert own.name.isascii() and len(own.name) < 90 and ".." not in own.name
    assert [each.name for each in own_folder().glob("*.safetensors")] == [own.name]
    assert own_file(own.name) is not None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("control_v11p_sd15_scribble", "scribble"),
        ("control_v11p_sd15_openpose", "pose"),
        ("controlnet-depth-sdxl-1.0", "depth"),
        ("t2_Line_Art", "lineart"),
    ],
)
def test_what_a_control_network_follows_is_in_its_name(name: str, kind: str) -> None:
    assert control_kind(name, name) == kind
    with pytest.raises(CannotImport, match="does not say what the control network follows"):
        control_kind("diffusion_pytorch_model", "x")


def test_another_ports_transparency_is_no_style(tmp_path: Path) -> None:
    path = tmp_path / "diffuser_layer_xl_transparent_attn.safetensors"
    place = TO_K.replace("down_blocks.0", "down_blocks.1")
    save_file(
        {
            f"{place}.lora_A.weight": torch.ones(2, 2048),
            f"{place}.lora_B.weight": torch.ones(640, 2),
        },
        path,
    )
    own = import_file(path)
    assert (own.role, own.families) == ("patch", ("sdxl",))
    found = locate("layer_xl_transparent_attn")
    assert found is not None and found.samefile(path)


def test_a_learned_word_is_taken_over_with_how_to_write_it(tmp_path: Path) -> None:
    save_file({"emb_params": torch.ones(8, 768)}, tmp_path / "EasyNegative.safetensors")
    own = import_file(tmp_path / "EasyNegative.safetensors")
    assert (own.name, own.role, own.families) == ("easynegative.safetensors", "words", ("sd15",))
    assert own.notes == ("Write EasyNegative in a prompt, or in what to avoid, to use it.",)
    save_file({"clip_l": torch.ones(2, 768)}, tmp_path / "half.safetensors")
    with pytest.raises(NotRecognised, match="not one for the text encoders"):
        import_file(tmp_path / "half.safetensors")
