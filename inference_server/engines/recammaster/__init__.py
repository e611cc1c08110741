"""The ReCamMaster engine: any clip along any path, by the public video model."""
