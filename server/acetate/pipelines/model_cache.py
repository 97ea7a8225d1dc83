"""The models that are in memory: the last ones that were used, as many as a budget allows."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import nn

from acetate.errors import BadRequest
from acetate.models.devices import card_memory
from acetate.models.families import FAMILIES
from acetate.models.gguf_header import is_gguf
from acetate.models.hub_cache import folder_of_base
from acetate.models.identify import shapes_in
from acetate.models.registry import model_named
from acetate.models.shipped import EMBEDDED, EMBEDDED_FOLDER
from acetate.pipelines.loading import load_pipeline
from acetate.pipelines.memory_ladder import is_out_of_memory, out_of_memory, release_memory
from acetate.pipelines.weight_placement import loading_as
from acetate.pipelines.weight_sizes import fits

if TYPE_CHECKING:
    from pathlib import Path

    from acetate.models.catalog import Entry
    from acetate.pipelines.pipeline import Pipeline

BUDGET_VARIABLE = "ACETATE_MEMORY_BUDGET"
"""Gigabytes that the weights of all resident models may take together."""


class Residents:
    """Loads models when they are asked for, and lets the least recently used go first.

    `budget` and all sizes are bytes of weights. One model is always allowed, however large: what
    then does not fit at once is offloaded or refused by its pipeline.
    """

    def __init__(
        self,
        device: torch.device,
        budget: int | None = None,
        load: Callable[[str], Pipeline] | None = None,
    ) -> None:
        self._device = device
        self.budget = default_budget(device) if budget is None else budget
        self._load = load or self._load_here
        self._held: OrderedDict[str, Pipeline] = OrderedDict()
        self._prints: dict[str, object] = {}
        self._asked: dict[str, str] = {}

    @property
    def held(self) -> dict[str, int]:
        """The weights of each resident model in bytes, the least recently used first."""
        return {model: weight_bytes(pipeline.modules) for model, pipeline in self._held.items()}

    def resident(self, model: str) -> Pipeline | None:
        """The model as it is in memory; None where it is not."""
        return self._held.get(model)

    def get(self, model: str, weights: str = "") -> Pipeline:
        """The model, loaded if need be, anew if its files are others by now.

        `weights` is the form that a recipe asks for: a model that is kept in another one is loaded
        anew, too, and again for the next recipe that leaves the choice.

        Raises what loading raises, and OutOfMemory.
        """
        entry = model_named(model)
        fingerprint = (entry, _file_states(entry))
        known = model in self._held and self._prints[model] == fingerprint
        if known and self._is_kept_as(model, weights):
            self._held.move_to_end(model)
            return self._held[model]
        if model in self._held:
            self._release(model)
        self._prints[model], self._asked[model] = fingerprint, weights
        with loading_as(weights):
            return self._loaded(model, entry)

    def _loaded(self, model: str, entry: Entry) -> Pipeline:
        self._make_room(expected_bytes(entry, self._device))
        try:
            pipeline = self._load(model)
        except (torch.OutOfMemoryError, RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            words = str(error)
        else:
            self._held[model] = pipeline
            return pipeline
        # Outside of the handler, whose error still holds on to half a model.
        return self._load_alone(model, words)

    def _is_kept_as(self, model: str, weights: str) -> bool:
        """Whether a resident model will do for a recipe that asks for this form."""
        form = self._held[model].weight_form
        return weights in (self._asked[model], form or "16") or not (weights or form)

    def release_others(self, model: str) -> bool:
        """Let all but this model go; whether there was any."""
        others = [other for other in self._held if other != model]
        for other in others:
            self._release(other)
        return bool(others)

    def _load_here(self, model: str) -> Pipeline:
        return load_pipeline(model, str(self._device))

    def _load_alone(self, model: str, words: str) -> Pipeline:
        if not self.release_others(model):
            raise out_of_memory(self._device, words)
        try:
            self._held[model] = self._load(model)
        except (torch.OutOfMemoryError, RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise out_of_memory(self._device, str(error)) from None
        return self._held[model]

    def _make_room(self, need: int) -> None:
        while self._held and (
            sum(self.held.values()) + need > self.budget
            # A card is shared with other programs: what is free is looked at each time.
            or not fits(need, self._device)
        ):
            self._release(next(iter(self._held)))

    def _release(self, model: str) -> None:
        del self._held[model]
        release_memory(self._device)


def default_budget(device: torch.device) -> int:
    """What the variable says, or most of a graphics card, or half of the machine's free memory."""
    if given := os.environ.get(BUDGET_VARIABLE):
        try:
            return int(float(given) * 1e9)
        except ValueError:
            raise BadRequest(
                f"{BUDGET_VARIABLE} is a number of gigabytes, not “{given[:40]}”."
            ) from None
    if device.type in ("cuda", "xpu"):
        return card_memory(device) * 8 // 10
    import psutil

    return psutil.virtual_memory().available // 2


def weight_bytes(modules: list[nn.Module]) -> int:
    """Bytes of all weights, each counted once."""
    weights = {
        weight.data_ptr(): weight.nbytes
        for module in modules
        for weight in (*module.parameters(), *module.buffers())
    }
    return sum(weights.values())


def expected_bytes(entry: Entry, device: torch.device) -> int:
    """What the weights of a model that is here will take, from the shapes in its files."""
    per_number = 4 if device.type == "cpu" else 2
    paths = weights_of(entry)
    packed = [path for path in paths if is_gguf(path)]
    counts = [sum(map(_product, shapes_in(path).values())) for path in set(paths) - set(packed)]
    return sum(counts) * per_number + sum(path.stat().st_size for path in packed)


def weights_of(entry: Entry) -> list[Path]:
    """Files with the weights of a model's base and transparency pair, as far as they are here."""
    from acetate.models.component_files import loose_weight_files
    from acetate.models.hub_cache import located
    from acetate.models.registry import model_named
    from acetate.models.rgba_adapter import ADAPTER, adapter_in, base_of

    if entry.id == EMBEDDED:
        return sorted(EMBEDDED_FOLDER.rglob("*.safetensors"))
    place = entry.place or folder_of_base(entry)
    if place is None or not place.exists():
        return []
    if ADAPTER in entry.facts:
        adapter = adapter_in(place)
        return [*weights_of(model_named(base_of(entry))), *(adapter.weights if adapter else ())]
    pair = [located(part.file) for part in entry.parts if "_vae_" in f"_{part.file.id}"]
    if place.is_file():
        return [place, *filter(None, pair)]
    networks = FAMILIES[entry.family].networks
    if not networks:
        return sorted(place.rglob("*.safetensors"))
    folders = [place / name for name in networks if (place / name).is_dir()]
    found = [path for folder in folders for path in loose_weight_files(folder)]
    return [*found, *filter(None, pair)]


def _file_states(entry: Entry) -> list[tuple[str, int, int]]:
    """Name, size and time of change of each weight file: other files show in other numbers."""
    states = [(path, path.stat()) for path in weights_of(entry)]
    return [(str(path), state.st_size, state.st_mtime_ns) for path, state in states]


def _product(shape: tuple[int, ...]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count
