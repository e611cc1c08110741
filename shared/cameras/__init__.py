"""Cameras: poses, lenses, trajectories, and the files they come from.

One convention throughout: a pose is camera-to-world, 4x4 float64, OpenCV axes (x right,
y down, z forward), metres. A lens is ``(fx/width, fy/height, cx/width, cy/height)``, so it
holds for any picture size; (0.5, 0.5) is the middle of the picture, and the middle of
pixel (0, 0) lies at (0.5/width, 0.5/height).
"""
