"""What the panel's menus show of bases and RGBA adapters on them, as a server tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate.model_import.importing import import_any
from acetate.models.families import FAMILIES
from acetate.models.own_register import remove_own
from acetate.workers.known_offer import offer_of, official_models
from acetate_bridge.panel.menus import model_choices
from acetate_bridge.panel.view import Choice
from acetate_bridge.protocol.codec import decode_server, encode
from acetate_bridge.protocol.messages import Models
from tests.acetate_bridge.panel.desk import Desk
from tests.support.tiny_adapters import write_adapter
from tests.support.tiny_families import write_tiny_sd15
from tests.support.tiny_flux2 import write_tiny_flux2
from tests.support.tiny_onnx import write_matting
from tests.support.tiny_qwen import write_tiny_qwen
from tests.support.tiny_qwen21 import write_tiny_qwen21

ADAPTED = ("text", "background", "foreground", "refine", "extract", "fill")


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny klein, with an adapter on it that was taken over, too."""
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    folder = write_tiny_flux2(tmp_path / "tiny-klein")
    import_any(str(folder))
    import_any(str(write_adapter(tmp_path / "clear", folder, "flux2", family="flux2")))
    return folder


def offered() -> Models:
    """The announcement of a server's worker, as it comes over the wire."""
    offer = offer_of(official_models())
    told = decode_server(encode(Models(offer.models, offer.modes)))
    assert isinstance(told, Models)
    return told


def choice(offer: Models, mode: str, model: str) -> Choice:
    return next(each for each in model_choices(offer, mode) if each.name == model)


def test_each_mode_names_the_model_that_does_it(tmp_path: Path, base: Path) -> None:
    offer = offered()
    desk = Desk(tmp_path, offer=offer)
    menu = {each.name: each for each in desk.view.modes}
    for mode in ADAPTED:
        assert menu[mode].available and not menu[mode].reason
        assert choice(offer, mode, "clear") == Choice("clear", "clear")
    assert not menu["joint"].available
    assert choice(offer, "background", base.name).available
    bare = choice(offer, "text", base.name)
    assert not bare.available and bare.reason.startswith("tiny-klein cannot do “")


def test_qwen_image_offers_what_it_can_look_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    for name, edits in (("words", False), ("pictures", True)):
        folder = write_tiny_qwen(tmp_path / name, edits=edits)
        import_any(str(folder))
        import_any(str(write_adapter(tmp_path / f"{name}-clear", folder, "qwen")), base=name)
    offer = offered()
    for mode in ADAPTED:
        assert choice(offer, mode, "pictures-clear").available
        looks = mode in ("background", "foreground", "extract")
        assert choice(offer, mode, "words-clear").available is not looks
    assert choice(offer, "background", "pictures").available
    assert not choice(offer, "background", "words").available


def test_the_menus_offer_what_each_model_can_do_as_soon_as_its_files_are_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACETATE_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    import_any(str(write_tiny_qwen21(tmp_path / "clear21")))
    base = write_tiny_sd15(tmp_path / "plain")
    import_any(str(base))
    for path in (base / "transparency").glob("layer_*.safetensors"):
        import_any(str(path))
    offer = offered()
    for mode in FAMILIES["qwen21"].modes:
        assert choice(offer, mode, "clear21") == Choice("clear21", "clear21")
    assert not any(choice(offer, "harmonize", each).available for each in ("clear21", "plain"))
    import_any(str(base / "transparency" / "iclight_sd15_fbc.safetensors"))
    import_any(str(write_matting(tmp_path / "u2net.onnx")))
    offer = offered()
    assert choice(offer, "harmonize", "plain").available
    assert choice(offer, "decompose", "plain").available
    assert choice(offer, "decompose", "clear21").available
    desk = Desk(tmp_path, offer=offer)
    for mode, model in (("harmonize", "plain"), ("decompose", "clear21"), ("extract", "clear21")):
        desk.panel.set_mode(mode)
        assert {each.name: each for each in desk.view.modes}[mode].available
        desk.panel.set_field("model", model)
        assert desk.view.mode == mode and desk.view.model == model
    published = choice(offer, "text", "qwen21")
    assert "(not here" in published.label and "not run here" in published.label


def test_a_press_of_generate_asks_the_adapter(tmp_path: Path, base: Path) -> None:
    desk = Desk(tmp_path, offer=offered())
    desk.ask("a red apple")
    assert desk.request.recipe.model == "clear" and desk.request.recipe.mode == "text"


def test_an_adapter_without_its_base_is_shown_as_not_here(tmp_path: Path, base: Path) -> None:
    remove_own(base.name)
    offer = offered()
    gone = choice(offer, "text", "clear")
    assert gone.label == "clear (not here)"
    assert gone.reason == (
        "It needs tiny-klein, which is not here any more: import or fetch it again."
    )
    desk = Desk(tmp_path, offer=offer)
    assert not desk.view.can_generate
