"""The fake painter under the name of the embedded model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from acetate.workers.engine import Announcement
from tests.workers.fake_painter import FakePainter


class EmbeddedFake(FakePainter):
    def announce(self) -> Announcement:
        announcement = super().announce()
        (model,) = announcement.models
        return Announcement([replace(model, id="embedded")], announcement.modes)


def open_painter(device: str, models_folder: Path) -> EmbeddedFake:
    return EmbeddedFake(models_folder)
