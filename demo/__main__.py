"""Server up, Blender through, pictures out; each step with its time."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inference_server.video.probe import probe
from shared.version import VERSION

from .contact_sheet import write_contact_sheet

ROOT = Path(__file__).resolve().parents[1]
CLIP = ROOT / "tests/clips/cityCC0.mpg"


def main() -> None:
    """Run the demo; the exit status is 1, with a sentence, if a step fails."""
    parser = argparse.ArgumentParser(prog="python -m demo")
    parser.add_argument("--blender", required=True, help="a Python that has bpy")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    out = options.out.resolve()
    _clear(out)
    try:
        _run(options.blender, out)
    except subprocess.CalledProcessError as error:
        sys.exit(f"The demo stopped: {' '.join(map(str, error.cmd[:3]))} … failed.")


def _clear(out: Path) -> None:
    """Make the folder, or empty it if an earlier demo filled it; anything else is left alone."""
    ours = (out / "shot.blend").exists() or (out / ".private").exists()
    if out.exists() and any(out.iterdir()) and not ours:
        sys.exit(f"The folder {out} holds other things; name another with --out.")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)


def _run(blender: str, out: Path) -> None:
    began, seconds = time.monotonic(), {}
    # Everything of the demo's own stays below out/: keys, journal, Blender's add-ons.
    private = out / ".private"
    environment = os.environ | {
        "RECAM_CONFIG": str(private / "config"),
        "RECAM_STATE": str(private / "state"),
        "BLENDER_USER_RESOURCES": str(private / "blender"),
    }
    with _step("Building the add-on", seconds):
        build = [blender, str(ROOT / "blender_addon/build.py"), "--platform", "current"]
        build += ["--blender", "current"]
        made = _say([*build, "--output", str(private)], environment)
        zip_file = Path(made.splitlines()[-1])
    with _step("Starting the server", seconds):
        server, environment["RECAM_SERVER"] = _serve(environment)
    try:
        scene = _in_blender(blender, zip_file, out, environment, seconds)
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
    with _step("Drawing the contact sheet", seconds):
        write_contact_sheet(
            CLIP, scene["first"], out / "result.mp4", out / "camera.json", out / "contact_sheet.png"
        )
    info = probe(out / "result.mp4")
    report = {
        "frames": info.frames,
        "size": [info.width, info.height],
        "rate": str(info.rate),
        "engine": scene["engine"],
        "engine_reason": scene["engine_reason"],
        "unseen_share": scene["report"]["unseen_share"],
        "seconds": seconds,
        "seconds_in_all": round(time.monotonic() - began, 1),
        "versions": {
            "recam": VERSION,
            "blender": scene["blender"],
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in ("numpy", "av", "pyzmq")},
        },
    }
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    shutil.rmtree(private)
    print(f"\nThe take: {out / 'result.mp4'}")
    print(f"The shot: {out / 'shot.blend'} (open it in Blender's Video Editing workspace)")
    print(f"Before and after: {out / 'contact_sheet.png'}; figures: {out / 'report.json'}")


def _in_blender(blender: str, zip_file: Path, out: Path, environment: dict, seconds: dict) -> dict:
    """Run in_blender.py; it prints a line of JSON for each step, and one for the result."""
    script = [blender, "-u", str(Path(__file__).with_name("in_blender.py"))]
    command = [*script, str(zip_file), str(CLIP), str(out)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    result = None
    for line in process.stdout:
        if not line.startswith("{"):
            continue  # Blender talks too
        message = json.loads(line)
        if "step" in message:
            _show(message["step"], message["seconds"], seconds)
        else:
            result = message
    if process.wait() or result is None:
        raise subprocess.CalledProcessError(process.returncode, command)
    return result


def _serve(environment: dict) -> tuple[subprocess.Popen, str]:
    """The server and its address, once it listens."""
    command = [sys.executable, "-m", "inference_server.cli", "serve", "--port", "0"]
    log = (Path(environment["RECAM_STATE"]).parent / "server.log").open("w")
    server = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT
    )
    line = server.stdout.readline()
    if not line:
        raise subprocess.CalledProcessError(server.wait(), command)
    return server, line.split()[-1]


def _say(command: list[str], environment: dict) -> str:
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


@contextmanager
def _step(words: str, seconds: dict) -> Iterator[None]:
    began = time.monotonic()
    yield
    _show(words, time.monotonic() - began, seconds)


def _show(words: str, took: float, seconds: dict) -> None:
    seconds[words] = round(took, 2)
    print(f"{words} … {took:.1f} s", flush=True)


if __name__ == "__main__":
    main()
