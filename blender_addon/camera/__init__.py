"""Cameras: what Blender evaluates, as Recam's trajectories."""
