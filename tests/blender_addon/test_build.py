"""The built extension: what is in it, whether Blender takes it, what it leaves behind."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_blender_accepts_the_zip_and_its_folder(built_zip, session_bpy, tmp_path):
    scripts = Path(session_bpy.utils.system_resource("SCRIPTS"))
    cli = scripts / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
    with zipfile.ZipFile(built_zip) as archive:
        archive.extractall(tmp_path / "recam")
    for thing in (built_zip, tmp_path / "recam"):
        done = subprocess.run(
            [sys.executable, str(cli), "validate", str(thing)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_zip_holds_shared_and_a_wheel_but_no_builder_or_cache(built_zip):
    with zipfile.ZipFile(built_zip) as archive:
        names = archive.namelist()
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    assert "shared/cameras/trajectory.py" in names
    assert "build.py" not in names
    assert not [n for n in names if "__pycache__" in n or "test" in n]
    wheels = {f"./{n}" for n in names if n.endswith(".whl")}
    version = manifest["version"]
    assert wheels - set(manifest["wheels"]) == {
        f"./server_package/recam-{version}-py3-none-any.whl"
    }
    assert set(manifest["wheels"]) < wheels
    assert f'VERSION = "{manifest["version"]}"' in (ROOT / "shared" / "version.py").read_text()


def test_the_servers_wheel_is_of_the_sources_as_they_are(built_zip):
    with zipfile.ZipFile(built_zip) as archive:
        name = next(n for n in archive.namelist() if n.startswith("server_package/"))
        with zipfile.ZipFile(archive.open(name)) as wheel:
            names = wheel.namelist()
            for file in ("shared/client/client.py", "inference_server/cli/serve.py"):
                assert wheel.read(file) == (ROOT / file).read_bytes()
    assert not [n for n in names if n.startswith(("blender_addon", "tests", "build"))]
    assert "inference_server/miniature/release/Wan-AI/Wan2.1-T2V-1.3B/Wan2.1_VAE.pth" in names


def test_zmq_comes_from_the_bundled_wheel(addon, resources, package):
    import zmq

    assert Path(zmq.__file__).resolve().is_relative_to(resources.resolve())
    assert addon.versions.__name__ == f"{package}.versions"
