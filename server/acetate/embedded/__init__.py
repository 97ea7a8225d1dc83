"""The small model that ships with Acetate, so that a fresh install can paint without a download."""
