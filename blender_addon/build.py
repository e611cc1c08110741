"""Build the Blender extension: ``python blender_addon/build.py --output dist``.

Blender's builder leaves linked folders out of the zip, so everything is staged as a real copy:
the add-on, ``shared/`` as its sub-package, and pyzmq's wheels as the package index has them.
Recam's own wheel goes with it, as a file to install the local server from (``local_server``).
There are two zips: Blender takes one with wheels for two Pythons to be for one of them alone.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import platform
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WHEELS = ROOT / "build" / "wheels"
SERVER_WHEELS = ROOT / "build" / "server_wheels"
# What Recam's own wheel is made of.
SERVER_SOURCES = ("pyproject.toml", "README.md", "LICENSE", "shared", "inference_server")
PYZMQ = "27.1.0"


@dataclass(frozen=True)
class Line:
    """The Blenders that one zip serves, and the Python whose pyzmq it bundles."""

    first: str
    below: str | None
    python: str
    abi: str

    @property
    def tag(self) -> str:
        """The wheel's tags for Python and its interface."""
        return f"cp{self.python.replace('.', '')}-{self.abi}"


LINES = {
    "4.2": Line(first="4.2.0", below="5.1.0", python="3.11", abi="cp311"),
    "5.1": Line(first="5.1.0", below=None, python="3.12", abi="abi3"),
}
# One wheel serves both kinds of Mac.
PLATFORMS = {
    "linux-x64": "manylinux_2_28_x86_64",
    "windows-x64": "win_amd64",
    "macos-arm64": "macosx_10_15_universal2",
    "macos-x64": "macosx_10_15_universal2",
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the Blender extension.")
    parser.add_argument("--output", type=Path, required=True, help="folder for the zip")
    parser.add_argument(
        "--platform",
        choices=["all", "current"],
        default="all",
        help="bundle the wheels of every platform, or of this one alone",
    )
    parser.add_argument(
        "--blender",
        choices=["all", "current", *LINES],
        default="all",
        help="build for the Blenders from this version on, or for the one with this Python alone",
    )
    parser.add_argument(
        "--blender-cli",
        type=Path,
        help="Blender's blender_ext.py; found beside an installed bpy if not given",
    )
    options = parser.parse_args()
    try:
        cli = options.blender_cli or find_cli()
        for line in _lines(options.blender):
            print(build(options.output, line, options.platform, cli))
    except (subprocess.CalledProcessError, OSError, ValueError) as error:
        detail = getattr(error, "stderr", None) or getattr(error, "stdout", None) or error
        print(f"The extension could not be built: {detail}".strip(), file=sys.stderr)
        return 1
    return 0


def build(output: Path, line: str, platforms: str = "all", cli: Path | None = None) -> Path:
    """The path of the zip for a line of Blenders, built and validated by Blender's own ``cli``.

    Raises OSError, ValueError, or CalledProcessError of pip or the CLI with its output.
    """
    wanted = [_current()] if platforms == "current" else list(PLATFORMS)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        staged = Path(temporary) / "recam"
        version = stage(staged, line, wanted)
        result = output.resolve() / f"recam-{version}-blender-{line}.zip"
        if cli is None:
            print("Blender's builder was not found: the zip is not validated.", file=sys.stderr)
            _zip(staged, result)
        else:
            _run(cli, "validate", str(staged))
            _run(cli, "build", "--source-dir", str(staged), "--output-filepath", str(result))
    return result


def stage(folder: Path, line: str, platforms: list[str]) -> str:
    """Lay the extension out in ``folder`` (new), for a line and these platforms; its version."""
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("__pycache__", "build.py"))
    shutil.copytree(
        ROOT / "shared", folder / "shared", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "LICENSE", folder)
    (folder / "wheels").mkdir()
    blenders = LINES[line]
    wheels = sorted({wheel(blenders, PLATFORMS[name]) for name in platforms})
    for file in wheels:
        shutil.copy(file, folder / "wheels")
    (folder / "server_package").mkdir()
    shutil.copy(server_wheel(), folder / "server_package")
    version = runpy.run_path(str(ROOT / "shared" / "version.py"))["VERSION"]
    written = {
        "version": version,
        "platforms": platforms,
        "wheels": [f"./wheels/{file.name}" for file in wheels],
        "blender_version_min": blenders.first,
    }
    if blenders.below:
        written["blender_version_max"] = blenders.below
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in written.items()]
    manifest = (HERE / "blender_manifest.toml").read_text(encoding="utf-8")
    (folder / "blender_manifest.toml").write_text("".join(lines) + manifest, encoding="utf-8")
    return version


def wheel(blenders: Line, platform_tag: str, cache: Path = WHEELS) -> Path:
    """pyzmq's wheel for Blenders on a platform, downloaded once and kept in ``cache``."""
    pattern = f"pyzmq-{PYZMQ}-{blenders.tag}-*{platform_tag}.whl"
    found = sorted(cache.glob(pattern))
    if not found:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as draft:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", draft]
            command += ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check"]
            command += ["--implementation=cp", f"--python-version={blenders.python}"]
            command += [f"--abi={blenders.abi}", f"--platform={platform_tag}", f"pyzmq=={PYZMQ}"]
            subprocess.run(command, check=True, capture_output=True, text=True)
            for file in Path(draft).iterdir():
                file.replace(cache / file.name)  # whole at once: another build may be looking
        found = sorted(cache.glob(pattern))
    if not found:
        raise ValueError(f"no wheel of pyzmq {PYZMQ} for {platform_tag} was downloaded")
    return found[0]


def server_wheel(cache: Path = SERVER_WHEELS) -> Path:
    """Recam's own wheel, for any platform, made once for each state of its sources."""
    files = [
        file
        for name in SERVER_SOURCES
        for file in ([ROOT / name] if (ROOT / name).is_file() else sorted((ROOT / name).rglob("*")))
        if file.is_file() and "__pycache__" not in file.parts
    ]
    state = hashlib.sha256()
    with tempfile.TemporaryDirectory() as temporary:
        # In a copy: setuptools leaves its own folders behind, and takes what lies in old ones.
        for file in files:
            place = Path(temporary) / file.relative_to(ROOT)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
            state.update(f"{file.relative_to(ROOT)}\0".encode() + place.read_bytes())
        made = cache / state.hexdigest()[:16]
        if not list(made.glob("recam-*.whl")):
            made.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=made))
            command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
            command += ["--disable-pip-version-check", "--wheel-dir", str(draft), temporary]
            subprocess.run(command, check=True, capture_output=True, text=True)
            for file in draft.iterdir():
                file.replace(made / file.name)  # whole at once: another build may be looking
            draft.rmdir()
            for old in cache.iterdir():
                if time.time() - old.stat().st_mtime > 3600:
                    shutil.rmtree(old, ignore_errors=True)
    return next(made.glob("recam-*.whl"))


def find_cli() -> Path | None:
    """``blender_ext.py`` of the bpy that is installed beside this Python, if there is one."""
    spec = importlib.util.find_spec("bpy")
    if spec is None or spec.origin is None:
        return None
    pattern = "*/scripts/addons_core/bl_pkg/cli/blender_ext.py"
    return next(iter(sorted(Path(spec.origin).parent.glob(pattern))), None)


def _lines(wanted: str) -> list[str]:
    if wanted == "all":
        return list(LINES)
    if wanted == "current":
        return ["4.2" if sys.version_info < (3, 12) else "5.1"]
    return [wanted]


def _current() -> str:
    system = {"darwin": "macos"}.get(platform.system().lower(), platform.system().lower())
    machine = {"x86_64": "x64", "amd64": "x64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    name = f"{system}-{machine}"
    if name not in PLATFORMS:
        raise ValueError(f"Blender gets no pyzmq wheel for {name}")
    return name


def _run(cli: Path, *arguments: str) -> None:
    command = [sys.executable, str(cli), *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True)


def _zip(folder: Path, result: Path) -> None:
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))


if __name__ == "__main__":
    sys.exit(main())
