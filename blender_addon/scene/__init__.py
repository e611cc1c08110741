"""Blender's data, handled with care: found again, copied for a while, kept as it was."""
