"""A miniature release, and what the public code computes with it: see README.md."""
