"""Teaching a frozen denoiser to paint transparency, and taking the lesson off again."""

from __future__ import annotations

from acetate.conditioning.attention_sharing import AttentionSharing
from acetate.conditioning.patch import Patch, PatchMismatch
from acetate.conditioning.weight_patch import WeightPatch

__all__ = ["AttentionSharing", "Patch", "PatchMismatch", "WeightPatch"]
