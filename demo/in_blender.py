"""The artist's part, in real Blender: footage in, a camera animated, the add-on's button pressed.

``python in_blender.py ADDON.zip CLIP OUT``, with a Python that has bpy.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import bpy

FRAMES = 100  # of the clip: it cuts to another shot at frame 116
SUBJECT_METRES = 40.0  # the skyline is not at arm's length


def main(zip_file: str, clip: str, out: str) -> None:
    out = Path(out)
    with step("Installing the add-on in Blender"):
        bpy.ops.extensions.package_install_files(
            repo="user_default", filepath=zip_file, enable_on_install=True
        )
        recam = importlib.import_module("bl_ext.user_default.recam")
    with step("Laying the footage into the sequencer"):
        footage = shutil.copy(clip, out / Path(clip).name)
        scene = set_up_scene(Path(footage), out / "shot.blend", recam)
    with step("Animating the camera"):
        animate_camera(scene)
    with step("Re-shooting the clip"):
        job = press_the_button(recam)
    with step("Saving the shot"):
        record = keep_take(scene, job.take, out)
    say(
        first=0,
        blender=bpy.app.version_string,
        engine=job.engine,
        engine_reason=job.engine_reason,
        report=record["report"],
    )


def set_up_scene(footage: Path, blend: Path, recam) -> bpy.types.Scene:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    scene.name = "Shot"
    scene.render.resolution_x, scene.render.resolution_y = 1280, 720
    scene.render.fps, scene.render.fps_base = 25, 1
    scene.view_settings.view_transform = "Standard"
    scene.frame_start, scene.frame_end = 1, FRAMES
    versions = importlib.import_module(f"{recam.__package__}.versions")
    versions.show_in_sequencer(bpy.context, scene)
    editor = scene.sequence_editor_create()
    strip = versions.strips(editor).new_movie(
        "city", str(footage), channel=1, frame_start=1, fit_method="FIT"
    )
    versions.set_duration(strip, FRAMES)
    editor.active_strip = strip
    bpy.context.preferences.filepaths.save_version = 0  # no shot.blend1 beside it
    # Saved first: takes go beside the .blend.
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    bpy.ops.file.make_paths_relative()
    return scene


def animate_camera(scene: bpy.types.Scene) -> None:
    """From the middle out to the right and closer, always facing the skyline."""
    subject = bpy.data.objects.new("Skyline", None)
    subject.location = (0, SUBJECT_METRES, 0)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.lens = 35
    for thing in (subject, camera):
        scene.collection.objects.link(thing)
    scene.camera = camera
    facing = camera.constraints.new("TRACK_TO")
    facing.target, facing.track_axis, facing.up_axis = subject, "TRACK_NEGATIVE_Z", "UP_Y"
    for frame, place in ((1, (0, 0, 0)), (FRAMES, (16, 17, 3))):
        camera.location = place
        camera.keyframe_insert("location", frame=frame)
    scene.recam.subject = subject


def press_the_button(recam):
    """The operator that the panel's button calls; no timer fires here, so tick by hand."""
    bpy.ops.recam.reshoot()
    job = importlib.import_module(f"{recam.__package__}.jobs.running").jobs[-1]
    while (delay := job.tick()) is not None:
        time.sleep(delay)
    if job.error:
        sys.exit(f"The re-shoot failed: {job.error}")
    return job


def keep_take(scene: bpy.types.Scene, name: str, out: Path) -> dict:
    """Give the take the demo's name for it, and save; what the add-on noted on the take."""
    versions = importlib.import_module("bl_ext.user_default.recam.versions")
    take = versions.strips(scene.sequence_editor)[name]
    made = Path(bpy.path.abspath(take.filepath))
    made.rename(out / "result.mp4")
    shutil.rmtree(made.parent)
    take.filepath = "//result.mp4"
    recam_json = importlib.import_module("bl_ext.user_default.recam.shared.cameras.recam_json")
    sampling = importlib.import_module("bl_ext.user_default.recam.camera.sampling")
    trajectory = importlib.import_module("bl_ext.user_default.recam.shared.cameras.trajectory")
    sampler = sampling.CameraSampler(scene, range(1, FRAMES + 1))
    while sampler.step(1.0) < 1:
        pass
    record = json.loads(take["recam"])
    shot = trajectory.Shot(sampler.trajectory(), subject_distance=record["subject_distance"])
    recam_json.write_shot(out / "camera.json", shot)
    bpy.ops.wm.save_mainfile()
    return record


@contextmanager
def step(words: str):
    began = time.monotonic()
    yield
    say(step=words, seconds=time.monotonic() - began)


def say(**message) -> None:
    print("\n" + json.dumps(message), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # Blender as a module may hang when Python ends
