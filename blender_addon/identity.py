"""What Blender calls this add-on; its sub-packages cannot tell by their own names."""

from __future__ import annotations

ADDON = __package__
