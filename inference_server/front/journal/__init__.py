"""Every job from the moment it is accepted, on the disk."""
