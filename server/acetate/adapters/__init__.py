"""Teaching a frozen denoiser to paint transparency, and taking the lesson off again."""

from __future__ import annotations

from acetate.adapters.attention_sharing import AttentionSharing
from acetate.adapters.patch import Patch, PatchMismatch
from acetate.adapters.weight_patch import WeightPatch

__all__ = ["AttentionSharing", "Patch", "PatchMismatch", "WeightPatch"]
