"""``make demo``'s own command, from the clip to the files it promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.blender_fixtures import strips_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def demo(bpy, server_python, tmp_path):
    if bpy.app.version >= (5, 0):
        pytest.skip("the demo is made for Blender 4.5, and runs once")
    out = tmp_path / "out"
    command = [server_python, "-m", "demo", "--blender", sys.executable, "--out", str(out)]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("RECAM_", "BLENDER_"))}
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return out, done.stdout


def test_the_demo_leaves_its_four_files_and_says_its_steps(bpy, demo):
    out, said = demo
    expected = {"result.mp4", "shot.blend", "contact_sheet.png", "report.json", "camera.json"}
    assert {file.name for file in out.iterdir()} == expected | {"cityCC0.mpg"}
    report = json.loads((out / "report.json").read_text())
    assert report["frames"] == 100 and report["size"] == [720, 406]
    assert (report["rate"], report["engine"]) == ("25", "projection")
    assert report["engine_reason"] and 0 <= report["unseen_share"] < 0.5
    assert report["versions"]["blender"] == bpy.app.version_string
    for words, seconds in report["seconds"].items():
        assert f"{words} … " in said and seconds >= 0
    assert (out / "contact_sheet.png").stat().st_size > 100_000

    bpy.ops.wm.open_mainfile(filepath=str(out / "shot.blend"))
    scene = bpy.context.scene
    strips = {strip.name: strip for strip in strips_of(scene)}
    source, take = strips["city"], strips["city take 1"]
    assert (source.filepath, take.filepath) == ("//cityCC0.mpg", "//result.mp4")
    assert source.mute and not take.mute and take.channel == source.channel + 1
    assert take.frame_final_duration == take.frame_duration == 100
    assert json.loads(take["recam"])["engine"] == "projection"
    assert [c.type for c in scene.camera.constraints] == ["TRACK_TO"]
