"""Enlarging pictures and layers with a small network whose weights ship with Acetate."""
