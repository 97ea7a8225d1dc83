"""The small models that ship with Acetate, so that a fresh install can work without a download."""
