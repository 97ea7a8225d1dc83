"""`acetate train`: the stages that made the embedded model, one command each."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from acetate.training.conversion import options
from acetate.training.conversion.command import add_commands

app = typer.Typer(
    help="Train the embedded model, or make a model of others transparent.", no_args_is_help=True
)

DataOption = Annotated[Path, typer.Option(help="Folder of the picture set.")]
OutOption = Annotated[Path, typer.Option(help="Folder for checkpoints, latents and samples.")]
StepsOption = Annotated[int, typer.Option(min=1, help="Training steps of all workers together.")]
SeedOption = Annotated[int, typer.Option(help="Seed of weights, batches and noise.")]
WorkersOption = Annotated[int, typer.Option(min=1, help="Single-thread processes to train with.")]
StartOption = Annotated[
    Path | None, typer.Option(help="Model folder whose weights to go on from; none: from nothing.")
]
PairStartOption = Annotated[
    Path | None,
    typer.Option(
        help="Model folder whose weights to go on from, or with --base the folder of a finished "
        "pair; none: from nothing."
    ),
]
LanguageOption = Annotated[
    Path, typer.Argument(help="Folder of MiniLM: config.json, tokenizer.json, model.safetensors.")
]

PackagesOption = Annotated[Path, typer.Option(help="Folder of the unpacked picture packages.")]
CodecArgument = Annotated[Path, typer.Argument(help="Model folder whose codec encodes.")]

DATA, OUT, PACKAGES_FOLDER = Path("training/data"), Path("training"), Path("training/packages")


@app.command()
def data(
    packages: PackagesOption = PACKAGES_FOLDER,
    data: DataOption = DATA,
    fetch: Annotated[bool, typer.Option(help="Fetch the packages with npm first.")] = False,
    size: Annotated[
        int, typer.Option(help="Side of the pictures: 128 for the codec, 256 for the denoiser.")
    ] = 256,
    scenes: Annotated[int, typer.Option(help="Painted backdrops to add.")] = 1200,
    seed: SeedOption = 11,
) -> None:
    """Render the picture packages and paint backdrops."""
    from .dataset import read_picture_set, write_picture_set
    from .sources import read_drawings
    from .staging import write_backdrops

    with _clear_errors():
        if fetch:
            _fetch(packages)
        count = write_picture_set(data, read_drawings(packages, size), size)
        typer.echo(f"{count} pictures in {data}")
        write_backdrops(data, read_picture_set(data), scenes, seed)
        typer.echo(f"{scenes} backdrops in {data}")


@app.command()
def memory(
    model: Annotated[Path, typer.Argument(help="Model folder to pack the drawings for.")],
    packages: PackagesOption = PACKAGES_FOLDER,
    openclipart: Annotated[
        Path | None, typer.Option(help="Folder svg of Debian's openclipart-svg.")
    ] = None,
) -> None:
    """Pack the drawings that painting begins from."""
    from .memory import write_memory

    with _clear_errors():
        file = model / "memory" / "drawings.zip"
        write_memory(packages, openclipart, file, typer.echo)


@app.command()
def autoencoder(
    data: DataOption = DATA,
    out: OutOption = OUT,
    steps: StepsOption = 8000,
    seed: SeedOption = 1,
    workers: WorkersOption = 2,
    start: StartOption = None,
) -> None:
    """Stage 1: the autoencoder for ordinary pictures."""
    from .autoencoder import train_autoencoder

    _together(partial(train_autoencoder, data, out, steps, seed, typer.echo, start), workers)


@app.command()
def transparency(
    data: DataOption = DATA,
    out: OutOption = OUT,
    steps: StepsOption = 4000,
    seed: SeedOption = 1,
    workers: WorkersOption = 2,
    start: PairStartOption = None,
    base: options.OptionalBase = "",
    kind: options.Kind = "offset",
    size: options.Size = 0,
    adversarial: options.Adversarial = 0.01,
    identity: options.Identity = 0.5,
    shape: options.Shape = None,
    decoder_alone: options.DecoderAlone = False,
    batch: options.Batch = 8,
    rate: options.Rate = 1e-4,
    parts: options.Parts = 1,
    precision: options.Precision = "auto",
    eight_bit: options.EightBit = False,
    checkpointing: options.Checkpointing = False,
    readers: options.Readers = 0,
    checkpoint_steps: options.CheckpointSteps = 500,
    sample_steps: options.SampleSteps = 1000,
) -> None:
    """Stage 2: the transparency of a frozen autoencoder, the embedded one or that of --base."""
    if base:
        from .conversion.command import train_transparency_for

        wish = (
            base, data, out, kind, size, adversarial, shape, checkpointing, decoder_alone, start,
            identity,
        )  # fmt: skip
        plan = options.plan_of(
            steps, batch, rate, seed, parts, precision, eight_bit, readers,
            checkpoint_steps, sample_steps,
        )  # fmt: skip
        train_transparency_for(wish, plan)
        return
    from .transparency import train_transparency

    stage = partial(train_transparency, data, out, steps, seed, typer.echo, start)
    _together(stage, _on_processor(workers))


@app.command()
def decoder(
    data: DataOption = DATA,
    out: OutOption = OUT,
    steps: StepsOption = 3000,
    seed: SeedOption = 1,
    workers: WorkersOption = 2,
) -> None:
    """Stage 2, continued: polish the transparent decoder alone."""
    from .transparency import train_decoder

    stage = partial(train_decoder, data, out, steps, seed, typer.echo)
    _together(stage, _on_processor(workers))


@app.command()
def codec(
    model: Annotated[Path, typer.Argument(help="Folder to write the codec into.")],
    data: DataOption = DATA,
    out: OutOption = OUT,
) -> None:
    """Write the autoencoder and the transparency that stages 1 and 2 have left."""
    from .export import write_codec

    with _clear_errors():
        write_codec(model, out, data)
    typer.echo(f"codec in {model}")


@app.command()
def latents(
    model: CodecArgument,
    data: DataOption = DATA,
    out: OutOption = OUT,
    shards: Annotated[int, typer.Option(min=1, help="Shards of 240 drawings each.")] = 13,
    seed: SeedOption = 5,
) -> None:
    """Encode every view and scene that the denoiser learns from."""
    from .pool import build_pool

    with _clear_errors():
        build_pool(data, model, out, shards, seed, typer.echo)


@app.command()
def denoiser(
    language_model: LanguageOption,
    packages: PackagesOption = PACKAGES_FOLDER,
    data: DataOption = DATA,
    out: OutOption = OUT,
    steps: StepsOption = 2600,
    batch: Annotated[int, typer.Option(min=4, help="Latents in a batch of one worker.")] = 32,
    seed: SeedOption = 1,
    workers: WorkersOption = 1,
    start: StartOption = None,
) -> None:
    """Stage 3: the denoiser, for layers and for every other task of the modes."""
    from .denoiser import train_denoiser

    stage = partial(
        train_denoiser, language_model, packages, data, out, steps, batch, seed, typer.echo, start
    )
    _together(stage, workers)


@app.command()
def export(
    language_model: LanguageOption,
    model: Annotated[Path, typer.Argument(help="Folder to write the model into.")],
    codec: Annotated[Path, typer.Option(help="Model folder with the codec.")],
    out: OutOption = OUT,
) -> None:
    """Write the averaged denoiser and its text encoder beside the codec as a model folder."""
    from .export import size_in_megabytes, write_painter

    with _clear_errors():
        write_painter(model, codec, out, language_model)
    typer.echo(f"{size_in_megabytes(model):.1f} MB in {model}")


@app.command()
def preview(
    model: Annotated[Path, typer.Argument(help="Model folder to make previews for.")],
    out: OutOption = OUT,
    steps: StepsOption = 6000,
    latents: Annotated[int, typer.Option(min=4, help="Latents to decode and learn from.")] = 1600,
    seed: SeedOption = 1,
) -> None:
    """Fit the few convolutions that previews are made with."""
    from .preview import train_preview

    with _clear_errors():
        train_preview(model, out, steps, latents, seed, typer.echo)


@app.command()
def evaluate(
    model: Annotated[Path | None, typer.Argument(help="Model folder; the shipped one.")] = None,
    data: DataOption = DATA,
    passes: Annotated[int, typer.Option(help="Flips and rotations of the decode.")] = 1,
    limit: Annotated[int, typer.Option(min=1, help="Pictures of each held-out split.")] = 250,
    samples: Annotated[int, typer.Option(min=1, help="Things painted for the classifier.")] = 120,
    colours: Annotated[int, typer.Option(min=1, help="Things painted in colours.")] = 60,
    epochs: Annotated[int, typer.Option(min=1, help="Training of the classifier.")] = 40,
    report: Annotated[Path | None, typer.Option(help="JSON file for the figures.")] = None,
) -> None:
    """Measure all that the model's card tells, on what is held out by concept and by style."""
    from acetate.models.shipped import EMBEDDED_FOLDER

    from .evaluation import Extent
    from .evaluation import evaluate as measure
    from .whole_files import text_written_whole

    with _clear_errors():
        extent = Extent(passes, limit, samples, colours, epochs)
        figures = measure(model or EMBEDDED_FOLDER, data, extent, typer.echo)
    if report is not None:
        text_written_whole(report, json.dumps(figures, indent=2) + "\n")


add_commands(app)


def _together(stage: Callable[[], None], workers: int) -> None:
    from .workers import run_together

    with _clear_errors():
        run_together(stage, workers)


def _on_processor(workers: int) -> int:
    """One where there is a card, which a stage that shares each step then takes."""
    import torch

    return 1 if torch.cuda.is_available() or torch.backends.mps.is_available() else workers


class _clear_errors:  # noqa: N801  (reads as a statement)
    """Turn a missing input into one sentence and exit code 2."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FileNotFoundError):
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from error


def _fetch(folder: Path) -> None:
    """Download and unpack the packages with npm, which must be on the PATH."""
    from .sources import PACKAGES, folder_name

    folder.mkdir(parents=True, exist_ok=True)
    for package, version in PACKAGES.items():
        target = folder / folder_name(package)
        if target.is_dir():
            continue
        with TemporaryDirectory(dir=folder) as scratch:
            subprocess.run(
                ["npm", "pack", "--silent", f"{package}@{version}"], cwd=scratch, check=True
            )
            (archive,) = Path(scratch).glob("*.tgz")
            with tarfile.open(archive) as packed:
                packed.extractall(scratch, filter="data")
            (Path(scratch) / "package").rename(target)
        typer.echo(f"fetched {package} {version}")
