"""Recam in a real Blender window, driven by clicks and keys: ``make screenshots``."""
