"""Matting: how much of each pixel of a picture belongs to what stands in front."""
