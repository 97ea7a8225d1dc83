"""What the demonstration paints."""

from __future__ import annotations

SEED = 7
LAYER = "a red apple"
SCENE = "green hills under a blue sky"
JOINT = {"foreground": "a penguin", "background": "a snowy field under a blue sky"}
FILL = "a red mushroom"
