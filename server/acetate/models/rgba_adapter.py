"""Adapters that teach an ordinary base transparency: a folder, told by what lies in it.

The layout is that of `docs/rgba-adapters.md`; those of AlphaVAE and AlphaAnything are read, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acetate.models.catalog import Entry
from acetate.models.files import read_config
from acetate.models.recognition_error import NotRecognised
from acetate.models.safetensors_header import read_header

ADAPTER = "rgba_adapter"
"""The fact of a model that it is an adapter on a base."""
ALPHA, MEASURED = "alpha", "alpha_measured"
"""The facts of what its colours are, and whether that was measured."""
BASE = "base"
"""What its base is called among the parts that it takes from elsewhere."""

_SETTINGS = "adapter.json"
_LORA = "pytorch_lora_weights.safetensors"
_DECODER = "alpha_decoder.safetensors"
_FORMAT, _VERSION = "rgba-adapter", 1
_LATENTS = {16: "flux", 32: "flux2"}
_SDXL_SCALE = 0.13025
_ALPHA = ("straight", "premultiplied")
_ADAPTED = ("sd15", "sdxl", "flux", "flux2", "qwen")
"""Families that take such an adapter."""


@dataclass(frozen=True)
class RgbaAdapter:
    """`vae` is the folder of a widened autoencoder, `decoder` a file: one of the two is there."""

    folder: Path
    family: str
    vae: Path | None = None
    decoder: Path | None = None
    lora: Path | None = None
    alpha: str = ""
    """What its colours are, as its maker says; empty where that is not said."""
    prompt: str = "{prompt}"
    base: str = ""
    licence: str = ""

    @property
    def weights(self) -> list[Path]:
        """Its files with weights."""
        vae = None if self.vae is None else self.vae / _weights_name(self.vae)
        return [path for path in (vae, self.decoder, self.lora) if path is not None]

    @property
    def files(self) -> dict[str, Path]:
        """All its files, by a name that is the same everywhere."""
        small = [self.folder / _SETTINGS]
        if self.vae is not None:
            small.append(self.vae / "config.json")
        paths = [*self.weights, *(path for path in small if path.is_file())]
        return {f"adapter/{path.relative_to(self.folder).as_posix()}": path for path in paths}

    def words(self, prompt: str) -> str:
        """A prompt in the words that the adapter was trained with."""
        return self.prompt.replace("{prompt}", prompt)


def alpha_words(facts: Mapping[str, Any]) -> str:
    """What is known of the colours of a model's layers, and from where; empty for no adapter."""
    kind, measured = facts.get(ALPHA), facts.get(MEASURED)
    if kind:
        told = "measured by what its autoencoder gives back" if measured else "as its maker says"
        return f"{kind}, {told}"
    if ADAPTER not in facts:
        return ""
    return (
        f"taken as {_ALPHA[0]}: its maker does not say it, and what its autoencoder gives back "
        f"does not tell ({_SETTINGS} can say it)"
    )


def base_of(model: Entry) -> str:
    """The id of the model that an adapter goes onto."""
    return dict(model.supplied)[BASE].partition(":")[2]


def adapter_in(folder: Path) -> RgbaAdapter | None:
    """The adapter in a folder; None where it is something else.

    Raises NotRecognised for one that cannot be used, ModelDamaged for what cannot be read.
    """
    if (folder / "model_index.json").exists():
        return None
    vae = next((each for each in _places(folder) if _is_widened(each)), None)
    decoder = folder / _DECODER
    told = (folder / _SETTINGS).is_file()
    if vae is None and not decoder.is_file():
        if told and read_config(folder / _SETTINGS).get("format") == _FORMAT:
            raise NotRecognised(
                f"{folder.name} is an RGBA adapter without an autoencoder of four channels in the "
                f"folder vae, and without the file {_DECODER}."
            )
        return None
    said = read_config(folder / _SETTINGS) if told else {}
    _check(said, folder.name)
    shown = None if vae is not None else decoder
    family = str(said.get("family") or _family(vae, shown, folder.name))
    if family not in _ADAPTED:
        raise NotRecognised(
            f"{folder.name} is an RGBA adapter for {family}, which Acetate has no base of: it "
            f"takes adapters for {', '.join(_ADAPTED)}."
        )
    loras = [place / _LORA for place in _places(folder) if (place / _LORA).is_file()]
    return RgbaAdapter(
        folder,
        family,
        vae,
        shown,
        loras[0] if loras else None,
        str(said.get("alpha", "")),
        str(said.get("prompt", "{prompt}")),
        str(said.get("base", "")),
        str(said.get("licence", "")),
    )


def _places(folder: Path) -> list[Path]:
    """The folder itself and those in it, the one of its usual name first."""
    inside = sorted(path for path in folder.iterdir() if path.is_dir())
    return [folder / "vae", folder, *(path for path in inside if path.name != "vae")]


def _weights_name(vae: Path) -> str:
    names = ("diffusion_pytorch_model.safetensors", "model.safetensors")
    return next((name for name in names if (vae / name).is_file()), names[0])


def _is_widened(vae: Path) -> bool:
    """Whether an autoencoder lies there that has four channels at both its ends."""
    path = vae / _weights_name(vae)
    return path.is_file() and is_widened(read_header(path).shapes)


def is_widened(shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether tensors are those of an autoencoder with four channels at both its ends."""
    entry = shapes.get("encoder.conv_in.weight", ())
    exit_ = shapes.get("decoder.conv_out.weight", ())
    return len(entry) >= 4 and len(exit_) >= 4 and entry[1] == 4 and exit_[0] == 4


def _check(said: Mapping[str, Any], name: str) -> None:
    if said.get("format", _FORMAT) != _FORMAT or said.get("version", _VERSION) != _VERSION:
        raise NotRecognised(
            f"{name} is an adapter of another format than version {_VERSION} of “{_FORMAT}”."
        )
    alpha, prompt = said.get("alpha", _ALPHA[0]), said.get("prompt", "{prompt}")
    if alpha not in _ALPHA:
        raise NotRecognised(
            f"{name} says that its alpha is “{alpha}”: it is {' or '.join(_ALPHA)}."
        )
    if not isinstance(prompt, str) or "{prompt}" not in prompt:
        raise NotRecognised(f"The words around a prompt in {name} lack the mark {{prompt}}.")


def _family(vae: Path | None, decoder: Path | None, name: str) -> str:
    if vae is not None:
        config = read_config(vae / "config.json")
        kind = str(config.get("_class_name"))
        if kind == "AutoencoderKLQwenImage":
            return "qwen"
        if "Qwen" in kind or "Wan" in kind:
            return kind.removeprefix("AutoencoderKL")
        channels = config.get("latent_channels", 4)
        if kind == "AutoencoderKLFlux2":
            return "flux2"
        if channels == 4:
            scale = float(config.get("scaling_factor") or 0)
            return "sdxl" if abs(scale - _SDXL_SCALE) < 1e-4 else "sd15"
    else:
        assert decoder is not None
        shapes = read_header(decoder).shapes
        entry = next(
            (shapes[key] for key in shapes if key.endswith("conv_in.weight")), tuple[int, ...]()
        )
        if len(entry) == 5:
            return "qwen"
        channels = entry[1] if len(entry) == 4 else 0
    family = _LATENTS.get(channels, "")
    if not family:
        raise NotRecognised(
            f"{name} does not tell for which family it is: say it in {_SETTINGS} as "
            f'{{"family": "flux"}}, one of {", ".join(_ADAPTED)}.'
        )
    return family
