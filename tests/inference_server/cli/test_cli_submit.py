"""``recam submit`` and ``recam fetch`` as a person uses them."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from servers import recam
from takes import LONG, SHORT, write_clip

from inference_server.video.probe import probe
from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.recam_json import write_shot
from shared.cameras.trajectory import Shot

ROOT = Path(__file__).resolve().parents[3]
CLIPS = ROOT / "tests" / "clips"
EXTRINSICS = ROOT / "tests" / "data" / "preset_camera_extrinsics.json"


def take(server, clip, *arguments, out) -> str:
    """Submit it; what was said on stderr."""
    done = server.run("submit", clip, "-o", out, *arguments)
    assert done.returncode == 0, done.stderr
    assert str(out) in done.stdout
    return done.stderr


def refused(server, *arguments) -> str:
    """What a command that fails says: one line, and no traceback."""
    done = server.run(*arguments)
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr and not done.stdout
    said = [line for line in done.stderr.splitlines() if not line.startswith("Note:")]
    assert len(said) == 1 and said[0].startswith("recam: "), done.stderr
    return said[0]


def test_a_preset(shared_server, short_clip, tmp_path):
    out = tmp_path / "take.mp4"
    said = take(shared_server, short_clip, "--camera", "arc_right", out=out)
    made = probe(out)
    assert (made.frames, made.width, made.height) == (SHORT, 96, 64)
    assert "Engine: projection." in said and said.count("Engine:") == 1
    assert "frames/s" not in said and "\r" not in said  # no bar where there is no terminal


def test_without_a_terminal_each_stage_has_its_lines(shared_server, long_clip, tmp_path):
    """In a log or behind a pipe: nothing is drawn, and nothing is silent."""
    words = ("--camera", "pan_left", "--frames", "120")
    said = take(shared_server, long_clip, *words, out=tmp_path / "take.mp4")
    shares = [int(percent) for percent in re.findall(r"^rendering, (\d+) %", said, re.M)]
    assert shares == sorted(shares) and 4 <= len(shares) <= 10
    assert all(b - a >= 10 for a, b in itertools.pairwise(shares))
    assert "starting …" in said and "\r" not in said


def test_on_a_terminal_a_bar_is_drawn(shared_server, long_clip, tmp_path):
    pty, termios = (pytest.importorskip(n, reason="a Unix terminal") for n in ("pty", "termios"))
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    words = ("--camera", "pan_left", "--frames", "60", "-o", tmp_path / "take.mp4")
    with subprocess.Popen(
        recam("submit", long_clip, *words),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=shared_server.environment,
        cwd=ROOT,
    ) as process:
        os.close(theirs)
        drawn = b""
        with contextlib.suppress(OSError):  # so a terminal's end is told
            while piece := os.read(ours, 4096):
                drawn += piece
    os.close(ours)
    assert process.returncode == 0, drawn
    assert re.search(rb"\rrendering: +\d+%\|", drawn), drawn


def test_a_wrong_address_is_told_while_it_is_tried(shared_server, short_clip, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    words = ("--camera", "static", "-o", tmp_path / "take.mp4", "--server", address)
    with subprocess.Popen(
        recam("submit", short_clip, *words),
        stderr=subprocess.PIPE,
        text=True,
        env=shared_server.environment,
        cwd=ROOT,
        # As at a terminal: who runs the tests in the background has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        told = next(line for line in process.stderr if "No server answers" in line)
        assert address in told and process.poll() is None
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert "The job was cancelled." in rest and "The server answers" not in rest
    assert process.returncode == 130


def test_a_move_with_an_amount_makes_another_picture(shared_server, short_clip, tmp_path):
    pictures = []
    for camera in ("static", "dolly:1.5", "orbit:20"):
        out = tmp_path / f"{camera.replace(':', '_')}.mp4"
        take(shared_server, short_clip, "--camera", camera, out=out)
        with av.open(str(out)) as file:
            pictures.append([frame.to_ndarray(format="gray") for frame in file.decode(video=0)][-1])
    still, dolly, orbit = (picture.astype(float) for picture in pictures)
    assert np.abs(still - dolly).mean() > 5 and np.abs(still - orbit).mean() > 5


def test_a_camera_file_of_another_rate_is_resampled_aloud(shared_server, short_clip, tmp_path):
    lens = lens_from_focal(35.0, 36.0, 1.5)
    camera = tmp_path / "move.json"
    write_shot(camera, Shot(make_move("pan_left", 50, Fraction(50), lens)))
    out = tmp_path / "take.mp4"
    assert "resampled" in take(shared_server, short_clip, "--camera", camera, out=out)
    said = take(shared_server, short_clip, "--camera", camera, "--stretch", "--overwrite", out=out)
    assert "stretched" in said
    assert probe(out).frames == SHORT


def test_the_public_camera_file(shared_server, short_clip, tmp_path):
    name = next(iter(json.loads(EXTRINSICS.read_text())["frame0"]))
    out = tmp_path / "take.mp4"
    take(shared_server, short_clip, "--camera", EXTRINSICS, "--camera-name", name, out=out)
    assert probe(out).frames == SHORT
    said = refused(
        shared_server, "submit", short_clip, "--camera", EXTRINSICS, "-o", tmp_path / "other.mp4"
    )
    assert name in said


def test_a_part_of_a_clip(shared_server, tmp_path):
    out = tmp_path / "take.mp4"
    part = ("--first", "10", "--frames", "5")
    words = ("--camera", "static", *part, "-o", out)
    done = shared_server.run("submit", CLIPS / "cityCC0.mpg", *words)
    assert done.stdout == f"{out}: 5 frames, 720x406 (720x405 and an edge that players need)\n"
    made = probe(out)
    assert (made.frames, made.width, made.height) == (5, 720, 406)  # 405 is odd


def test_sound_comes_along_unless_told_otherwise(shared_server, tmp_path):
    clip, arguments = CLIPS / "bigbuckbunny.mp4", ("--camera", "static", "--frames", "6")
    take(shared_server, clip, *arguments, out=tmp_path / "heard.mp4")
    take(shared_server, clip, *arguments, "--no-audio", out=tmp_path / "silent.mp4")
    assert probe(tmp_path / "heard.mp4").has_audio
    assert not probe(tmp_path / "silent.mp4").has_audio


def test_an_upright_clip_of_odd_size(shared_server, tmp_path):
    clip = write_clip(tmp_path / "even.mp4", 4, 54, 96)
    with av.open(str(clip)) as source, av.open(str(tmp_path / "odd.mkv"), "w") as target:
        stream = target.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 53, 95, "bgr0"
        for frame in source.decode(video=0):
            cut = np.ascontiguousarray(frame.to_ndarray(format="bgra")[:95, :53])
            picture = av.VideoFrame.from_ndarray(cut, "bgra")
            picture.pts, picture.time_base = frame.pts, frame.time_base
            target.mux(stream.encode(picture.reformat(format="bgr0")))
        target.mux(stream.encode())
    out = tmp_path / "take.mp4"
    take(shared_server, tmp_path / "odd.mkv", "--camera", "tilt_up", out=out)
    made = probe(out)
    assert (made.frames, made.width, made.height) == (4, 54, 96)


def test_a_clip_that_is_cut_off_gives_what_is_there(shared_server, tmp_path):
    whole = (CLIPS / "cityCC0.mpg").read_bytes()
    clip = tmp_path / "cut.mpg"
    clip.write_bytes(whole[: len(whole) // 12])
    there = probe(clip).frames
    assert 3 < there < 60
    out = tmp_path / "take.mp4"
    take(shared_server, clip, "--camera", "static", out=out)
    assert probe(out).frames == there


def test_spaces_and_umlauts_in_names(shared_server, short_clip, tmp_path):
    clip = shutil.copy(short_clip, tmp_path / "Zoë – Käse 100%.mp4")
    out = tmp_path / "neuer Ordner" / "Übersicht 1.mp4"
    take(shared_server, clip, "--camera", "static", out=out)
    assert probe(out).frames == SHORT


@pytest.fixture(scope="module")
def odd_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    (folder / "text.mov").write_text("Shot 12: the boats.\n" * 50)
    (folder / "empty.mov").touch()
    (folder / "broken.json").write_text('{"format": "recam-shot", "version": 1')
    (folder / "other.json").write_text('{"hello": 1}')
    (folder / "there.mp4").write_bytes(b"a take that is dear to me")
    (folder / "file").write_text("in the way")
    return folder


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{odd}/text.mov", "--camera", "static"], ["text.mov"]),
        (["{odd}/empty.mov", "--camera", "static"], ["empty.mov"]),
        (["{odd}/nothing.mov", "--camera", "static"], ["nothing.mov"]),
        (["{odd}", "--camera", "static"], ["is a folder"]),
        (["{clip}", "--camera", "spiral"], ["spiral", "arc_left, ", "orbit:DEGREES"]),
        (["{clip}", "--camera", "dolly"], ["dolly", "metres"]),
        (["{clip}", "--camera", "orbit:wide"], ["orbit:wide", "degrees"]),
        (["{clip}", "--camera", "orbit:nan"], ["orbit"]),
        (["{clip}", "--camera", "dolly:inf"], ["dolly"]),
        (["{clip}", "--camera", "{odd}/nothing.json"], ["nothing.json"]),
        (["{clip}", "--camera", "{odd}/broken.json"], ["broken.json"]),
        (["{clip}", "--camera", "{odd}/other.json"], ["other.json"]),
        (["{clip}", "--camera", "{odd}"], ["{odd}"]),
        (["{clip}", "--camera", "static", "--first", "8"], ["8 frames", "--first"]),
        (["{clip}", "--camera", "static", "--first", "-1"], ["8 frames", "--first"]),
        (["{clip}", "--camera", "static", "--first", "500"], ["8 frames", "none with number 500"]),
        (["{clip}", "--camera", "static", "--frames", "0"], ["8 frames", "--frames"]),
        (["{clip}", "--camera", "static", "--first", "7", "--frames", "3"], ["on it has 1, not 3"]),
        (["{clip}", "--camera", "static", "--frames", "9"], ["8 frames", "--frames"]),
        (["{clip}", "--camera", "static", "--frames", "0"], ["8 frames", "--frames"]),
        (["{clip}", "--camera", "static", "--focal", "0"], ["focal"]),
        (["{clip}", "--camera", "static", "--focal", "nan"], ["focal"]),
        (["{clip}", "--camera", "static", "--subject", "-2"], ["subject"]),
        (["{clip}", "--camera", "static", "--subject", "0"], ["subject"]),
        (["{clip}", "--camera", "static", "--depth", "{odd}/nothing.safetensors"], ["nothing"]),
        (["{clip}", "--camera", "static", "--engine", "recammaster"], ["recammaster"]),
        (["{clip}", "--camera", "static", "-o", "take.avi"], ["take.avi", ".mp4"]),
        (["{clip}", "--camera", "static", "-o", "{odd}/there.mp4"], ["there.mp4", "--overwrite"]),
        (["{clip}", "--camera", "static", "-o", "{odd}/file/take.mp4"], ["{odd}/file"]),
        (["{clip}"], ["--camera", "--use"]),
        (["{clip}", "--use", "sharpen"], ["sharpen", "outpaint"]),
        (["{clip}", "--use", "stabilise"], ["steadied", "--camera"]),
        (["{clip}", "--use", "outpaint:wide"], ["outpaint:wide", "number"]),
        (["{clip}", "--use", "outpaint:0.5"], ["0.5", "factor"]),
        (["{clip}", "--use", "outpaint", "--camera", "arc_left"], ["arc_left", "--use"]),
        (["{clip}", "--camera", "static", "--steps", "many"], ["steps", "many", "1 to 1000"]),
        (["{clip}", "--camera", "static", "--set", "stepz=1"], ["stepz", "shift"]),
        (["{clip}", "--camera", "static", "--set", "shift"], ["shift", "NAME=VALUE"]),
        (["{clip}", "--camera", "static", "--start", "projection"], ["denoising_strength"]),
        (
            ["{clip}", "--camera", "static", "--start", "{odd}/no.mp4", "--strength", "0.5"],
            ["no.mp4"],
        ),
        (["{clip}", "--camera", "static", "--server", "nowhere"], ["port: nowhere:47811"]),
        (["{clip}", "--camera", "static", "--server-key", "abc"], ["public key", "whole line"]),
    ],
    ids=lambda value: " ".join(value[1:]) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    shared_server, short_clip, odd_files, tmp_path, arguments, words
):
    def filled(text):
        return text.replace("{odd}", str(odd_files)).replace("{clip}", str(short_clip))

    out = [] if "-o" in arguments else ["-o", tmp_path / "take.mp4"]
    said = refused(shared_server, "submit", *map(filled, arguments), *out)
    for word in words:
        assert filled(word).lower() in said.lower(), said
    assert not (tmp_path / "take.mp4").exists()
    assert (odd_files / "there.mp4").read_bytes() == b"a take that is dear to me"


def test_what_the_engine_cannot_do_is_left_out_aloud(shared_server, short_clip, tmp_path):
    asked = ("--prompt", "boats at dawn", "--set", "shift=8", "--start", short_clip)
    out = tmp_path / "take.mp4"
    camera = ("--camera", "static", "--strength", "0.5")
    said = take(shared_server, short_clip, *camera, *asked, out=out)
    assert "does not know prompt, denoising_strength, shift, start" in said
    assert probe(out).frames == SHORT


def test_a_take_is_replaced_when_asked(shared_server, short_clip, tmp_path):
    out = tmp_path / "take.mp4"
    out.write_text("old")
    take(shared_server, short_clip, "--camera", "static", "--overwrite", out=out)
    assert probe(out).frames == SHORT


def test_detached_and_fetched_later(shared_server, long_clip, tmp_path):
    detach = ("--camera", "static", "--frames", LONG // 10, "--detach", "-o", tmp_path / "a.mp4")
    left = shared_server.run("submit", long_clip, *detach)
    assert left.returncode == 0 and re.fullmatch(r"[0-9a-f]{32}\n", left.stdout)
    out = tmp_path / "b.mp4"
    fetched = shared_server.run("fetch", left.stdout.strip(), "-o", out)
    assert fetched.returncode == 0, fetched.stderr
    assert probe(out).frames == LONG // 10
    again = shared_server.run("fetch", left.stdout.strip(), "-o", out)
    assert again.returncode == 1 and "exists already" in again.stderr


def test_a_remark_that_was_made_of_the_clip_is_not_repeated_when_detached(
    shared_server, short_clip, tmp_path
):
    odd = tmp_path / "untagged.avi"
    with av.open(odd, "w") as container:
        stream = container.add_stream("ffv1", 25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(SHORT):
            picture = np.zeros((48, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    words = ("--camera", "static")
    (remark,) = probe(odd).remarks
    assert take(shared_server, odd, *words, out=tmp_path / "a.mp4").count(remark) == 1
    left = shared_server.run("submit", odd, *words, "-o", tmp_path / "b.mp4", "--detach")
    assert left.stderr.count(remark) == 1, left.stderr
