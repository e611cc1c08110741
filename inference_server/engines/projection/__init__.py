"""Camera projection: the clip thrown from its camera onto geometry, seen from another one.

Exact for a camera that only turns or changes its lens; for the rest as good as the geometry,
which is a plane at the subject's distance or a depth map per frame. Runs on any CPU.
"""

from .depth import open_depth
from .engine import ProjectionEngine

__all__ = ["ProjectionEngine", "open_depth"]
