"""Weights: files on disk, and the networks that they become. ``layout`` imports no torch."""
