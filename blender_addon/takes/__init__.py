"""Takes: results as strips above their original."""
