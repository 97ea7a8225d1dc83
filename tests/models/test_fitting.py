"""Which model fits into how much memory: one rule, and a table in the README that it makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from acetate.models.catalog import catalog
from acetate.models.fitting import Network, Plan, plan, plan_on_card

README = Path(__file__).parents[2] / "README.md"
CARDS = (6, 8, 12, 16, 24)
GIGABYTE = 10**9


def row(model: str) -> str:
    """What the README has to say of a model."""
    networks = catalog()[model].networks
    found = [plan_on_card(networks, card * GIGABYTE) for card in CARDS]
    return f"| `{model}` | {' | '.join(each.label if each else '–' for each in found)} |"


@pytest.mark.parametrize("model", [model for model, entry in catalog().items() if entry.networks])
def test_the_table_of_the_readme_is_what_the_rule_says(model: str) -> None:
    assert row(model) in README.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("model", "card"), [("sdxl", 6), ("qwen21", 8), ("flux", 12), ("qwen-layered", 16)]
)
def test_models_fit_the_cards_that_painters_have(model: str, card: int) -> None:
    assert plan_on_card(catalog()[model].networks, card * GIGABYTE) is not None


@pytest.mark.parametrize("model", [model for model, entry in catalog().items() if entry.networks])
def test_the_sizes_of_networks_are_those_of_the_files(model: str) -> None:
    entry = catalog()[model]
    base = sum(network.numbers for network in entry.networks) * 2 / 1e6
    published = entry.base_size + 210 * any("decoder" in part.file.id for part in entry.parts)
    # Some files also hold the last layer of a language model, which writes text and is left out.
    assert base == pytest.approx(published, rel=0.07)


def test_more_memory_never_gives_up_more() -> None:
    networks = catalog()["flux"].networks
    order = ["16 bit", "16 bit, in turns", "8 bit", "8 bit, in turns", "4 bit", "4 bit, in turns",
             "8 bit, by blocks", "4 bit, by blocks"]  # fmt: skip
    found = [plan(networks, free * GIGABYTE / 10) for free in range(400)]
    labels = [each.label if each else "" for each in found]
    assert not labels[0] and labels[-1] == "16 bit"
    ranks = [order.index(label) for label in labels if label]
    assert ranks == sorted(ranks, reverse=True)


def test_what_is_chosen_is_kept_whatever_is_free() -> None:
    networks = (Network(GIGABYTE, GIGABYTE), Network(10, 0))
    chosen = plan(networks, 100 * GIGABYTE, only="4")
    assert isinstance(chosen, Plan) and chosen.bits == "4" and chosen.manner == "whole"
    assert "4 bits" in chosen.sentence
    assert plan(networks, 1, only="16") is None
