"""What the demonstration paints."""

from __future__ import annotations

SEED = 7
LAYER = "a red apple"
SCENE = "green hills under a blue sky"
SHEET = (
    "a red apple",
    "a green pear",
    "a slice of watermelon",
    "a strawberry",
    "a cup of coffee",
    "a birthday cake",
    "a yellow star",
    "a red heart",
    "a smiling face",
    "a cat face",
    "a dog face",
    "an owl",
    "a fish",
    "a butterfly",
    "a sunflower",
    "a tree",
    "a mushroom",
    "a blue car",
    "a rocket",
    "a sailboat",
    "a house",
    "a guitar",
    "a wrapped gift",
    "a hot air balloon",
)
