"""Fills measured beside the hole and beside the layer repainted."""

from __future__ import annotations

from acetate.pipelines.pipeline import Pipeline
from acetate.training.dataset import PictureSet
from acetate.training.fills import measure_fills


def test_holes_are_cut_into_held_out_drawings_and_filled_in_every_way(
    tiny_pipeline: Pipeline, pictures: PictureSet
) -> None:
    found = measure_fills(tiny_pipeline, pictures, 2)
    assert found.holes == 2
    # A hole hides the drawing; its own alpha is none.
    assert found.hole_alpha > 0.3
    # What is continued from around is nearer than nothing, even with a model of random weights.
    assert found.remove_alpha < found.hole_alpha
    assert found == measure_fills(tiny_pipeline, pictures, 2)
