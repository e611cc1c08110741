"""Clips and results: how they come, go, and how long they stay."""
