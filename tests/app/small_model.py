"""A model of three small files at a hub on loopback, in the server's processes.

As a painter it announces that model, as a downloader (`-m`) it fetches it; neither knows more of
the world than the environment says.
"""

from __future__ import annotations

from pathlib import Path

from acetate.models.catalog import catalog
from acetate.models.hub_cache import missing_parts
from acetate.models.licences import unaccepted
from acetate.workers import download_process
from acetate.workers.engine import Announcement
from acetate_bridge.protocol.messages import ModelInfo
from tests.models.test_download_plan import ENTRY
from tests.workers.fake_painter import MODES, FakePainter


class WithSmallModel(FakePainter):
    def announce(self) -> Announcement:
        ready = not missing_parts(ENTRY)
        info = ModelInfo(
            ENTRY.id,
            ENTRY.name,
            ENTRY.family,
            ["text"],
            "ready" if ready else "missing",
            float(ready),
            licences=unaccepted(ENTRY),
        )
        return Announcement([*super().announce().models, info], MODES)


def open_painter(device: str, models_folder: Path) -> WithSmallModel:
    return WithSmallModel(models_folder)


if __name__ == "__main__":
    from huggingface_hub import constants

    constants.DOWNLOAD_CHUNK_SIZE = 1 << 14
    catalog()[ENTRY.id] = ENTRY
    download_process.main()
