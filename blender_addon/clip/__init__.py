"""The clip: what the artist sees in the strip, as files for sending."""
