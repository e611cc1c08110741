"""A second Blender, as a process of its own: ``python other_blender.py CLIP BLEND [FRAMES]``.

Lays the clip out, re-shoots it with the server that the environment names, and prints
“at work” once the server renders it, and at the end the take and the error.
"""

from __future__ import annotations

import importlib
import os
import sys
import time

import bpy


def main(clip: str, blend: str, frames: str = "40") -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.ops.preferences.addon_enable(module="bl_ext.user_default.recam")
    recam = "bl_ext.user_default.recam"
    scene = bpy.context.scene
    importlib.import_module(f"{recam}.versions").show_in_sequencer(bpy.context, scene)
    scene.render.resolution_x, scene.render.resolution_y, scene.render.fps = 720, 405, 25
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    editor = scene.sequence_editor_create()
    versions = importlib.import_module(f"{recam}.versions")
    editor.active_strip = versions.strips(editor).new_movie("other", clip, 1, 1)
    editor.active_strip.frame_final_duration = int(frames)
    bpy.ops.wm.save_as_mainfile(filepath=blend)
    bpy.ops.recam.reshoot()
    job = importlib.import_module(f"{recam}.jobs.running").jobs[-1]
    told = False
    while job.tick() is not None:
        if not told and job.stand.stage == "rendering":
            told = True
            print("at work", flush=True)
        time.sleep(0.01)
    print(f"take: {job.take} {job.error}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
    os._exit(0)  # Blender as a module may hang when Python ends
