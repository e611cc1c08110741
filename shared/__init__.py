"""What the Blender add-on and the inference server must agree on: cameras, messages, client.

Standard library, numpy and pyzmq alone, and relative imports throughout: this folder
travels inside the Blender extension as its sub-package.
"""
