"""`acetate evaluate`: figures for a model and its rivals, in one run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from acetate.pipelines.pipeline import Pipeline

app = typer.Typer(
    help="Measure how well a model keeps layers and paints them, beside its rivals.",
    no_args_is_help=True,
)

Layers = Annotated[
    Path, typer.Argument(help="Layers: AIM-500, PPM-100, or a folder, shards, tables of RGBA.")
]
Base = Annotated[str, typer.Option(help="Model id, or folder of diffusers with --files.")]
Files = Annotated[
    Path | None, typer.Option(help="Folder of what `acetate train` wrote; none: what is imported.")
]
Rival = Annotated[
    list[Path] | None,
    typer.Option("--rival", help="Folder of another pair for the same base; any number of them."),
]
Matting = Annotated[
    Path | None, typer.Option(help="ONNX file of a matting model: the rival that cuts out.")
]
Out = Annotated[Path, typer.Option(help="Folder for figures.json, figures.md and the sheet.")]
Passes = Annotated[int, typer.Option(help="Passes of a decode: 1, 2, 4 or 8.")]

OUT = Path("evaluation")


@app.command()
def reconstruction(
    layers: Layers,
    base: Base,
    files: Files = None,
    rival: Rival = None,
    matting: Matting = None,
    lpips: Annotated[
        Path | None, typer.Option(help="TorchScript file of LPIPS; none: not measured.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Layers to measure over.")] = 500,
    longest: Annotated[int, typer.Option(min=64, help="Longest side in pixels.")] = 1024,
    passes: Passes = 1,
    out: Out = OUT,
) -> None:
    """What layers lose through the latent: PSNR, SSIM, SAD, MSE, Grad, Conn, edges."""
    from acetate.evaluation import subjects
    from acetate.evaluation.matted_folder import open_layers
    from acetate.evaluation.published import PUBLISHED
    from acetate.evaluation.reconstruction import measure_round_trips
    from acetate.evaluation.tables import markdown, write_report
    from acetate.evaluation.torch_script import distance_in
    from acetate.matting.network import MattingNetwork
    from acetate.models.families import FAMILIES

    pipeline = _pipeline(base, files)
    measured = {pipeline.model: subjects.with_pair(pipeline, passes)}
    for folder in rival or ():
        measured[f"pair in {folder}"] = subjects.with_pair(_pipeline(base, folder), passes)
    measured["plain autoencoder"] = subjects.plain_autoencoder(pipeline)
    if matting is not None:
        cut = MattingNetwork(matting)
        measured[f"cut out by {matting.stem}"] = subjects.generate_then_matte(pipeline, cut)
    table, count = measure_round_trips(
        measured,
        open_layers(layers),
        limit,
        longest,
        max(FAMILIES[pipeline.family].multiple, pipeline.latent_factor),
        out / "sheet.png",
        typer.echo,
        None if lpips is None else distance_in(lpips),
    )
    about = {"layers": count, "passes": passes, "base": base, "rows of the sheet": list(measured)}
    whole = {**table, **PUBLISHED}
    typer.echo(markdown("Reconstruction", whole))
    _say(write_report(out, "Reconstruction", whole, about), out / "sheet.png")


@app.command()
def generation(
    layers: Layers,
    base: Base,
    files: Files = None,
    matting: Matting = None,
    prompts: Annotated[
        Path | None, typer.Option(help="Text file of prompts, one a line; none: the captions.")
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(help="TorchScript file of Inception; none: the base's own latents."),
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Layers to paint.")] = 100,
    steps: Annotated[int, typer.Option(min=0, help="Steps of each; 0: the family's own.")] = 0,
    epochs: Annotated[int, typer.Option(min=1, help="Training of the classifier.")] = 40,
    passes: Passes = 1,
    out: Out = OUT,
) -> None:
    """How layers are painted: alpha, halo, KID, FID, and whether they are recognised."""
    from acetate.evaluation import generation as measuring
    from acetate.evaluation.features import of_a_file, of_the_base
    from acetate.evaluation.matted_folder import open_layers
    from acetate.evaluation.real_layers import read_prompts, read_real
    from acetate.evaluation.subjects import matted
    from acetate.evaluation.tables import markdown, write_report
    from acetate.matting.network import MattingNetwork

    pipeline = _pipeline(base, files)
    real = read_real(open_layers(layers), pipeline.native, samples, typer.echo)
    asked = read_prompts(prompts, real, samples)
    painters = {pipeline.model: measuring.layer_painter(pipeline, steps, passes)}
    if matting is not None:
        cut, plain = MattingNetwork(matting), measuring.picture_painter(pipeline, steps)
        painters[f"base, cut out by {matting.stem}"] = lambda prompt, seed: matted(
            plain(prompt, seed), cut
        )
    seen = of_a_file(features) if features else of_the_base(pipeline)
    sheet = out / "sheet.png"
    table = measuring.measure_paintings(painters, asked, real, seen, sheet, typer.echo, epochs)
    about = {
        "prompts": len(asked),
        "real layers": len(real),
        "base": base,
        "features": features.name if features else "latents of the base: no other table is like it",
    }
    typer.echo(markdown("Generation", table))
    _say(write_report(out, "Generation", table, about), sheet)


def _pipeline(base: str, files: Path | None) -> Pipeline:
    from acetate.models.devices import pick_device
    from acetate.pipelines.loading import load_pipeline
    from acetate.training.conversion.bases import find_base
    from acetate.training.conversion.layers_run import in_folder

    if files is None:
        return load_pipeline(base)
    return find_base(base).painter(pick_device(), in_folder(files))


def _say(written: list[Path], sheet: Path) -> None:
    for file in (*written, sheet):
        typer.echo(f"wrote {file}")
