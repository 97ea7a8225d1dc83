"""The prompts of the demonstration sheet, on which the model is also measured."""

from __future__ import annotations

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
