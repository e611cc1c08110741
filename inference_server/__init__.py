"""The inference server, and everything that needs a codec or a GPU."""
