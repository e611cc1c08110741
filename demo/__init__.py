"""The main job on real footage, in one command: ``make demo``."""
