"""Engines: what turns (clip, source camera, trajectory, settings) into frames."""
