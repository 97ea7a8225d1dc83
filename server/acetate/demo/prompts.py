"""What the demonstration paints."""

from __future__ import annotations

SEED = 7
LAYER = "a red apple"
SCENE = "green hills under a blue sky"
SHEET = (
    "a red apple",
    "a lemon",
    "a slice of watermelon",
    "cherries",
    "a hamburger",
    "a slice of pizza",
    "a donut",
    "a birthday cake",
    "a yellow star",
    "a purple heart",
    "a smiley with sunglasses",
    "a smiling cat",
    "a panda",
    "a penguin",
    "a fox",
    "an octopus",
    "a butterfly",
    "a sunflower",
    "a mushroom",
    "a blue car",
    "a green car",
    "a rocket",
    "a house",
    "a wrapped gift",
)
