"""The Kaggle ``heartbeat`` set, and the patients of its beats."""
