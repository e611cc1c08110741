"""Real Blender with the add-on installed from its built zip; skipped aloud without bpy."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
CLIPS = ROOT / "tests" / "clips"
PACKAGE = "bl_ext.user_default.recam"


def load_pure(name: str):
    """A module of the add-on that needs no Blender, nor do those that it imports."""
    if "recam_pure" not in sys.modules:
        package = ModuleType("recam_pure")
        # The add-on's own wants Blender; ``shared`` lies beside its modules, as in the zip.
        package.__path__ = [str(ROOT / "blender_addon"), str(ROOT)]
        sys.modules["recam_pure"] = package
    return importlib.import_module(f"recam_pure.{name.replace('/', '.')}")


def strips_of(scene):
    """The strips of a scene's sequencer, in every Blender."""
    return importlib.import_module(f"{PACKAGE}.versions").strips(scene.sequence_editor)


def all_strips_of(scene):
    """Those inside meta strips too."""
    return importlib.import_module(f"{PACKAGE}.versions").all_strips(scene.sequence_editor)


def shown_frames(strip) -> range:
    """The scene's frames at which a strip is shown."""
    versions = importlib.import_module(f"{PACKAGE}.versions")
    return range(versions.first_frame(strip), versions.end_frame(strip))


def trim(strip, first=None, end=None) -> None:
    """Trim a strip so that it is first shown at ``first``, and ``end`` is the first frame after."""
    versions = importlib.import_module(f"{PACKAGE}.versions")
    if first is not None:
        versions.set_first_frame(strip, first)
    if end is not None:
        versions.set_end_frame(strip, end)


@pytest.fixture(scope="session")
def package():
    """What Blender calls the installed add-on."""
    return PACKAGE


@pytest.fixture(scope="session")
def layout():
    return load_pure("clip/layout")


@pytest.fixture(scope="session")
def resources(tmp_path_factory):
    return tmp_path_factory.mktemp("blender")


@pytest.fixture(scope="session")
def built_zip(tmp_path_factory):
    """The zip as the command builds it, for this platform."""
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("bpy is not installed: install Recam's “blender” extra to test the add-on")
    output = tmp_path_factory.mktemp("zip")
    command = [sys.executable, str(ROOT / "blender_addon" / "build.py")]
    command += ["--output", str(output), "--platform", "current", "--blender", "current"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def session_bpy(resources, built_zip):
    os.environ["BLENDER_USER_RESOURCES"] = str(resources)
    os.environ["RECAM_LOCAL"] = str(resources / "recam")  # nothing of the user's own
    import bpy

    bpy.ops.extensions.package_install_files(
        repo="user_default", filepath=str(built_zip), enable_on_install=True
    )
    return bpy


@pytest.fixture
def bpy(session_bpy):
    """Blender with an empty file and the add-on enabled."""
    session_bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    return session_bpy


class Addon:
    """The installed add-on's modules by name."""

    def __getattr__(self, name: str):
        return importlib.import_module(f"{PACKAGE}.{name}")


@pytest.fixture
def addon(bpy):
    return Addon()


@pytest.fixture
def sequence(bpy, addon):
    """A scene of 160x96 at 24 frames a second to cut in, shown in the sequencer."""
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = 160, 96
    scene.render.fps, scene.render.fps_base = 24, 1
    scene.view_settings.view_transform = "Standard"
    scene.sequence_editor_create()
    addon.versions.show_in_sequencer(bpy.context, scene)
    return scene


@pytest.fixture
def new_effect(sequence):
    """Adds an effect strip over frames 11 to 34, on inputs if it takes any."""

    def run(kind, name, *inputs):
        strips = strips_of(sequence)
        known = strips.bl_rna.functions["new_effect"].parameters
        names = ("input1", "input2") if "input1" in known else ("seq1", "seq2")  # Blender 4.4
        keywords = dict(zip(names, inputs, strict=False))
        if "length" in known:  # Blender 5.0
            keywords["length"] = 24
        else:
            keywords["frame_end"] = 35
        return strips.new_effect(name=name, type=kind, channel=3, frame_start=11, **keywords)

    return run


@pytest.fixture(scope="session")
def pictures(session_bpy, tmp_path_factory):
    """Reads and writes pictures and movies through Blender, and tells frames apart."""
    bpy = session_bpy
    folder = tmp_path_factory.mktemp("pictures")

    def shown(scene, frames):
        """What the sequencer shows: (F, H, W, 3) float32, 0..1, top row first."""
        render = scene.render
        image = render.image_settings
        if hasattr(image, "media_type"):
            image.media_type = "IMAGE"
        image.file_format, image.color_mode = "PNG", "RGB"  # over black, as the artist sees it
        render.use_sequencer, render.use_compositing = True, False
        before = scene.frame_start, scene.frame_end, render.filepath
        scene.frame_start, scene.frame_end = min(frames), max(frames)
        render.filepath = str(folder / "frame_####.png")
        bpy.ops.render.render(animation=True, scene=scene.name)
        scene.frame_start, scene.frame_end, render.filepath = before
        return np.array([read(folder / f"frame_{frame:04}.png") for frame in frames])

    def read(path):
        loaded = bpy.data.images.load(str(path))
        pixels = np.array(loaded.pixels[:], np.float32)
        size = loaded.size[:]
        bpy.data.images.remove(loaded)
        return pixels.reshape(size[1], size[0], 4)[::-1, :, :3]

    def movie(paths, width, height):
        """All frames of movie files of one size, one after the other."""
        result = []
        for path in paths:
            scene = bpy.data.scenes.new("reader")
            scene.render.resolution_x, scene.render.resolution_y = width, height
            scene.view_settings.view_transform = "Standard"
            scene.sequence_editor_create()
            strip = strips_of(scene).new_movie("movie", str(path), 1, 1)
            assert (strip.elements[0].orig_width, strip.elements[0].orig_height) == (width, height)
            result.append(shown(scene, shown_frames(strip)))
            bpy.data.scenes.remove(scene)
        return np.concatenate(result)

    def write(name, frames, fps=24):
        """A movie of frames (F, H, W, 3) float, 0..1, top row first; near-lossless."""
        count, height, width, _ = np.shape(frames)
        scene = bpy.data.scenes.new("writer")
        scene.sequence_editor_create()
        for index, frame in enumerate(frames):
            image = bpy.data.images.new("frame", width, height)
            rgba = np.ones((height, width, 4), np.float32)
            rgba[..., :3] = frame[::-1]
            image.pixels[:] = rgba.ravel()
            image.filepath_raw = str(folder / f"{name}_{index:03}.png")
            image.file_format = "PNG"
            image.save()
            strip = strips_of(scene).new_image("frame", image.filepath_raw, 1, index + 1)
            trim(strip, end=index + 2)
            bpy.data.images.remove(image)
        scene.frame_start, scene.frame_end = 1, count
        render = scene.render
        render.resolution_x, render.resolution_y, render.fps = width, height, fps
        scene.view_settings.view_transform = "Standard"
        if hasattr(render.image_settings, "media_type"):
            render.image_settings.media_type = "VIDEO"
        render.image_settings.file_format = "FFMPEG"
        render.ffmpeg.format, render.ffmpeg.codec = "MPEG4", "H264"
        render.ffmpeg.constant_rate_factor = "PERC_LOSSLESS"
        render.filepath = str(folder / f"{name}.mp4")
        bpy.ops.render.render(animation=True, scene=scene.name)
        bpy.data.scenes.remove(scene)
        return folder / f"{name}.mp4"

    return SimpleNamespace(shown=shown, movie=movie, write=write, read=read)


def numbered(count: int, width: int, height: int) -> np.ndarray:
    """Frames that can be told apart and that have no symmetry: (F, H, W, 3), 0..1.

    A smooth picture with a bright upper left; the frame's number in six wide bars, black or
    white, across the lower quarter.
    """
    y, x = np.mgrid[0:height, 0:width]
    base = np.stack([1 - x / width, 1 - y / height, 0.5 + 0.3 * np.sin(x / 9) * np.cos(y / 7)], -1)
    frames = np.repeat(base[None].astype(np.float32), count, axis=0)
    for number, frame in enumerate(frames):
        for bit in range(6):
            bar = slice(bit * width // 6, (bit + 1) * width // 6)
            frame[height * 3 // 4 :, bar] = number >> bit & 1
    return frames


def numbers(frames: np.ndarray) -> list[int]:
    """The numbers that ``numbered`` wrote into the frames."""
    height, width = frames.shape[1:3]
    row = frames[:, height * 7 // 8, :, 1]
    middles = [(2 * bit + 1) * width // 12 for bit in range(6)]
    return [sum(int(line[m] > 0.5) << bit for bit, m in enumerate(middles)) for line in row]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Decibels between pictures of 0..1."""
    return float(-10 * np.log10(np.mean((a - b) ** 2) + 1e-12))


@pytest.fixture(scope="session")
def measure():
    return SimpleNamespace(numbered=numbered, numbers=numbers, psnr=psnr)


@pytest.fixture(scope="session")
def clip(pictures):
    """A clip of 24 numbered frames, 160x96, 24 frames a second."""
    return pictures.write("clip", numbered(24, 160, 96))


@pytest.fixture(scope="session")
def render_all():
    def run(renderer, seconds=0.2):
        """Step a sampler, or wait for a renderer, to its end; the shares it reported."""
        shares = []
        while not shares or shares[-1] < 1:
            if hasattr(renderer, "look"):
                time.sleep(0.01)
                shares.append(renderer.look())
            else:
                shares.append(renderer.step(seconds))
        return shares

    return run


@pytest.fixture
def rendered(addon, sequence, tmp_path, render_all, pictures):
    """Renders a strip to a plate, with handles; the plate and its frames (F, H, W, 3)."""

    def run(strip, handles=0):
        renderer = addon.clip.plate.PlateRenderer(strip, sequence, tmp_path / "plate", handles)
        render_all(renderer)
        plate = renderer.plate()
        return plate, pictures.movie(plate.parts, plate.width, plate.height)

    return run


def part(frames, rect):
    """The part of frames (F, H, W, 3) that a plate shows."""
    top, left = int(rect.top), int(rect.left)
    return frames[:, top : top + int(rect.height), left : left + int(rect.width)]
