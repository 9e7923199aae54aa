"""Reference models: architecture, training script, trained file and model card."""
