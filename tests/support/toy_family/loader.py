"""The toy family, opened."""

from __future__ import annotations

import json

from acetate.pipelines.family import FamilyLoader, ModelFiles
from tests.support.toy_family.pipeline import ToyPipeline


class ToyLoader(FamilyLoader):
    """One folder with a colour in it."""

    whole = True

    def load(self, files: ModelFiles) -> ToyPipeline:
        """See `FamilyLoader.load`."""
        path = files.place / "colour.json"
        return ToyPipeline(json.loads(path.read_text()), path, files.device, files.model)


LOADER = ToyLoader()
