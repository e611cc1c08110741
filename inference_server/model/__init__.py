"""The networks: Wan's transformer with the camera in it, its VAE, its text encoder, its noise."""
