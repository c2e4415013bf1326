"""Writes a run: parquet files that every tool opens, and the dataset card."""
