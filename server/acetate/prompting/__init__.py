"""Prompts on their way to a model: choices made, files read, styles taken."""
