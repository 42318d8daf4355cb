"""Records of finished cells, on disk and in MLflow."""
