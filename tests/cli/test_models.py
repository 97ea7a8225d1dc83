from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Acetate
from tests.models.conftest import WEIGHTS, hub  # noqa: F401
from tests.models.hub_server import Hub
from tests.models.test_download_plan import ENTRY


@pytest.fixture
def shop(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:  # noqa: F811
    """A catalog with one model, whose files a hub on loopback has."""
    monkeypatch.setattr("acetate.models.catalog.catalog", lambda: {"test": ENTRY})
    monkeypatch.setattr("acetate.models.hub_cache.catalog", lambda: {"test": ENTRY})
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.address)
    files = f"{hub.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", files)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return hub


def test_a_model_is_pulled_verified_and_removed(acetate: Acetate, shop: Hub) -> None:
    assert "missing" in acetate("models", "list").out
    outcome = acetate("models", "pull", "test", "--accept-licence")
    assert outcome.code == 0, outcome.err
    *paths, last = outcome.out.splitlines()
    assert Path(paths[0]).read_bytes() == WEIGHTS and len(paths) == 3
    assert last == "test is here."
    assert "here" in acetate("models", "list").out
    assert "w.safetensors: good" in acetate("models", "verify", "test").out
    assert acetate("models", "remove", "test").out == "2.1 MB freed.\n"
    assert "w.safetensors: missing" in acetate("models", "verify", "test").out


def test_damaged_weights_are_found(acetate: Acetate, shop: Hub) -> None:
    outcome = acetate("models", "pull", "test", "--accept-licence")
    path = Path(outcome.out.splitlines()[0])
    path.write_bytes(b"?" + WEIGHTS[1:])
    verified = acetate("models", "verify", "test")
    assert verified.code == 2
    assert "w.safetensors: damaged" in verified.out


def test_a_licence_is_accepted_once(acetate: Acetate, shop: Hub) -> None:
    refused = acetate("models", "pull", "test")
    assert refused.code == 2
    assert "licensed under mit" in refused.err and "--accept-licence" in refused.err
    assert acetate("models", "pull", "test", "--accept-licence").code == 0
    assert acetate("models", "pull", "test").code == 0


def test_only_what_a_mode_needs_is_pulled(acetate: Acetate, shop: Hub) -> None:
    outcome = acetate("models", "pull", "test", "--mode", "joint", "--accept-licence")
    assert "w.safetensors" not in outcome.out
    wrong = acetate("models", "pull", "test", "--mode", "sing")
    assert wrong.code == 2 and "cannot do sing" in wrong.err


def test_a_refusal_is_one_sentence(acetate: Acetate, shop: Hub) -> None:
    shop.gated.add("someone/base")
    outcome = acetate("models", "pull", "test", "--accept-licence")
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1 and "accepted its terms" in outcome.err


def test_what_ships_cannot_be_removed(acetate: Acetate) -> None:
    outcome = acetate("models", "remove", "embedded")
    assert outcome.code == 2 and "part of Acetate" in outcome.err
