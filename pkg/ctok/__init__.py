"""ctok."""
