"""Re-shoots: under way in this Blender, and on the server."""
