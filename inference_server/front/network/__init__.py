"""The front's socket: who may speak, what comes in, what goes out."""
