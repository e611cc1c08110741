"""Another Blender in the background: what it gets, what it tells, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

FRAME_SECONDS = 0.016
TRIES = 3  # of which one must be free of what others do on this machine


@pytest.fixture
def job(bpy, addon, tmp_path):
    """Runs a script's ``main`` in the background, on a file with this scene."""
    made = []

    def run(body, name="job", **arguments):
        folder = tmp_path / f"{name} für Blender"
        addon.scene.background.write_scene(bpy.context.scene, folder / "scene.blend")
        script = folder / "script.py"
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        script.write_text(f"import bpy, os, time\ndef main(arguments, tell):\n{lines}")
        background = addon.scene.background.Background(folder / "scene.blend", script, arguments)
        made.append(background)
        return background

    yield run
    for each in made:
        each.cancel()


def wait(job, until=lambda share: share == 1):
    """Looks until the share pleases; the longest look but the first, in seconds."""
    longest, end = 0.0, time.monotonic() + 60
    share = job.look()
    while not until(share):
        assert time.monotonic() < end
        time.sleep(0.005)
        began = time.perf_counter()
        share = job.look()
        longest = max(longest, time.perf_counter() - began)
    return longest


def test_it_gets_the_scene_and_its_arguments_and_tells_how_far_it_is(bpy, job, tmp_path):
    bpy.context.scene.name = "Szene 7"
    told = job(
        "open(arguments['out'], 'w').write(' '.join(bpy.data.scenes.keys()))\n"
        "tell(0.25)\n"
        "while os.path.exists(arguments['out']): time.sleep(0.01)",
        out=str(tmp_path / "größe"),
    )
    wait(told, lambda share: share > 0)
    assert told.look() == 0.25
    assert (tmp_path / "größe").read_text() == "Szene 7"
    (tmp_path / "größe").unlink()
    wait(told)
    assert told.look() == 1.0


def test_what_blender_prints_of_a_folder_of_that_name_is_no_news(job):
    wait(job("print('Saved: /films/RECAM shots/plate.mp4', flush=True)"))


def test_waiting_for_it_takes_no_time(job):
    looks = (wait(job("time.sleep(0.5)", name=str(number))) for number in range(TRIES))
    assert any(longest < FRAME_SECONDS for longest in looks)


def test_what_the_script_raises_is_the_error(addon, job):
    broken = job("raise RuntimeError('Error: no such thing')")
    with pytest.raises(addon.shared.errors.RecamError) as error:
        wait(broken)
    assert error.value.code == "background_failed"
    assert error.value.sentence == "Blender in the background: no such thing"


def test_a_crash_is_said_with_blenders_own_last_error(addon, job):
    crash = job("print('Error: the disk melts', flush=True)\nprint('Bye', flush=True)\nos.abort()")
    with pytest.raises(addon.shared.errors.RecamError, match="the disk melts"):
        wait(crash)


def test_no_scripts_and_add_ons_of_the_artists_are_there(bpy, job, resources, tmp_path):
    startup = resources / "scripts" / "startup"
    startup.mkdir(parents=True)
    (startup / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\ndef register(): pass")
    text = bpy.data.texts.new("handler.py")
    text.write(f"open({str(tmp_path / 'ran')!r}, 'w')")
    text.use_module = True
    bpy.context.scene["text"] = text
    seen = job("open(arguments['out'], 'w').write(repr([*bpy.context.preferences.addons.keys()]))")
    seen._work["arguments"] = {"out": str(tmp_path / "addons")}
    wait(seen)
    assert "recam" not in (tmp_path / "addons").read_text()
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(os.name != "posix", reason="asks for a process as POSIX does")
def test_cancelled_it_is_gone_at_once(addon, job, tmp_path):
    endless = job("open(arguments['pid'], 'w').write(str(os.getpid()))\ntell(0.5)\ntime.sleep(60)")
    endless._work["arguments"] = {"pid": str(tmp_path / "pid")}
    wait(endless, lambda share: share > 0)
    endless.cancel()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    with pytest.raises(addon.shared.errors.RecamError, match="called off"):
        endless.look()


def test_two_at_once_and_the_third_when_one_has_ended(addon, job, tmp_path):
    body = "tell(0.5)\nwhile not os.path.exists(arguments['end']): time.sleep(0.01)"
    jobs = [job(body, name=f"{n}", end=str(tmp_path / f"end {n}")) for n in range(3)]
    for each in jobs[:2]:
        wait(each, lambda share: share == 0.5)
    assert [each.look() for each in jobs] == [0.5, 0.5, 0]
    assert jobs[2]._process is None
    (tmp_path / "end 0").touch()
    wait(jobs[0])
    wait(jobs[2], lambda share: share == 0.5)


def test_a_job_that_waits_can_be_cancelled(addon, job):
    jobs = [job("time.sleep(60)", name=f"{n}") for n in range(3)]
    for each in jobs:
        each.look()
    for each in reversed(jobs):
        each.cancel()
    assert jobs[2]._process is None


@pytest.mark.skipif(os.name != "posix", reason="kills a process as POSIX does")
def test_it_ends_with_the_blender_that_began_it(addon, job, tmp_path):
    """A killed Blender cannot cancel: the other one notices when it has something to tell."""
    beat = tmp_path / "beat"
    background = job(
        f"while True: open({str(beat)!r}, 'a').write('.'); time.sleep(0.01); tell(0.1)"
    )
    starter = tmp_path / "starter.py"
    starter.write_text(
        "import json, subprocess, sys, time\n"
        "command, environment = json.loads(sys.argv[1])\n"
        "subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)\n"
        "time.sleep(60)\n"
    )
    module = addon.scene.background
    command = [*module._blender(), json.dumps(background._work)]
    began = json.dumps([command, module._environment(tmp_path)])
    blender = subprocess.Popen([sys.executable, str(starter), began])
    end = time.monotonic() + 30
    while not beat.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    blender.kill()
    blender.wait()
    last = -1
    while last != (last := beat.stat().st_size):
        assert time.monotonic() < end
        time.sleep(1)
