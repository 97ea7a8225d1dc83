"""One pipeline per family of models, all speaking the same verbs over one sampling loop."""
