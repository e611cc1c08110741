"""A second Blender that starts the local server: ``python starting_blender.py RECAM quit|crash``.

RECAM is the path of the command ``recam``; then Blender quits, or ends without a word.
"""

from __future__ import annotations

import importlib
import os
import sys
import time

import bpy


def main(recam: str, end: str) -> None:
    bpy.ops.preferences.addon_enable(module="bl_ext.user_default.recam")
    package = "bl_ext.user_default.recam"
    importlib.import_module(f"{package}.preferences").preferences().recam_command = recam
    current = importlib.import_module(f"{package}.local_server.current")
    bpy.ops.recam.start_server()
    while (delay := current.task.tick()) is not None:
        time.sleep(delay)
    print(current.task.error or current.task.stand.words, flush=True)
    if end == "crash":
        os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
