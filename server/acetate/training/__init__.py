"""How Acetate's models learn transparency: data, stages, evaluation and export."""
