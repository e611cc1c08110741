"""Recam's client: one background thread that submits, uploads, listens and downloads."""
