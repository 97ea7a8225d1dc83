"""Figures that others can repeat: how well a model keeps layers, and how well it paints them."""
