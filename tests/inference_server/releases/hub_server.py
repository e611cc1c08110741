"""A real HTTP server that answers as the hub does, for the files of the miniature release.

Large files are redirected to another host, as the hub does, with their SHA-256 and size in the
headers; small ones carry git's checksum. It can cut a connection, cheat, and it counts its bytes.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from huggingface_hub import constants

import inference_server

RELEASE = Path(inference_server.__file__).parent / "miniature/release"
WAN = "Wan-AI/Wan2.1-T2V-1.3B"
CAMERA = "KlingTeam/ReCamMaster-Wan2.1/step20000.ckpt"
VAE = f"{WAN}/Wan2.1_VAE.pth"
TEXT_ENCODER = f"{WAN}/models_t5_umt5-xxl-enc-bf16.pth"
BASE = f"{WAN}/diffusion_pytorch_model.safetensors"
COMMIT = "4f3f7391" * 5
LARGE = (".pth", ".ckpt", ".safetensors", ".model")


def miniature_files() -> dict[str, bytes]:
    """The content of the two repos, by "owner/repo/path"."""
    files = {
        f"{WAN}/{path.relative_to(RELEASE / WAN).as_posix()}": path.read_bytes()
        for path in (RELEASE / WAN).rglob("*")
        if path.is_file()
    }
    return files | {CAMERA: (RELEASE / "ReCamMaster/checkpoints/step20000.ckpt").read_bytes()}


class Hub:
    """The server. files: what it serves. promised: content that the headers speak of where it
    is not what is sent. cuts: for a file, after how many bytes each of its answers breaks off.
    pace: bytes a second, or 0. sent: bytes of content sent, by file. asked: requests, by file."""

    def __init__(self) -> None:
        self.files = miniature_files()
        self.promised: dict[str, bytes] = {}
        self.cuts: dict[str, list[int]] = {}
        self.ranges = True
        self.pace = 0
        self.commit = COMMIT
        self.sent: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("_", (_Answer,), {"hub": self}))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """For HF_ENDPOINT."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        """End."""
        self.server.shutdown()
        self.server.server_close()


def use_endpoint(monkeypatch, url: str) -> None:
    """Take ``url`` for the hub, here and in children."""
    monkeypatch.setenv("HF_ENDPOINT", url)
    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *_words) -> None:
        pass

    def _answer(self, with_body: bool) -> None:
        if self.path.startswith("/cdn/"):
            self._body(self.path.removeprefix("/cdn/"), with_body)
            return
        if "/resolve/" not in self.path:
            self._headers(404, {})
            return
        owner, name, _, revision, path = self.path[1:].split("/", 4)
        if owner == "KwaiVGI":
            self._headers(307, {"Location": self.path.replace("KwaiVGI", "KlingTeam", 1)})
        elif not any(file.startswith(f"{owner}/{name}/") for file in self.hub.files):
            self._headers(401, {"X-Error-Code": "RepoNotFound"})
        elif revision not in ("main", self.hub.commit):
            self._headers(404, {"X-Error-Code": "RevisionNotFound"})
        elif (file := f"{owner}/{name}/{path}") not in self.hub.files:
            self._headers(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": self.hub.commit})
        elif file.endswith(LARGE):
            content = self.hub.promised.get(file, self.hub.files[file])
            elsewhere = self.hub.url.replace("127.0.0.1", "localhost")
            self._headers(
                302,
                {
                    "Location": f"{elsewhere}/cdn/{file}",
                    "X-Repo-Commit": self.hub.commit,
                    "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
                    "X-Linked-Size": str(len(content)),
                },
            )
        else:
            self._body(file, with_body)

    def _headers(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": "0"} | headers).items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self, file: str, with_body: bool) -> None:
        hub, content = self.hub, self.hub.files[file]
        git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        headers = {"ETag": f'"{git}"', "X-Repo-Commit": hub.commit, "Accept-Ranges": "bytes"}
        start, status = 0, 200
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and hub.ranges:
            start, status = int(asked[1]), 206
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            if start >= len(content):
                self._headers(416, {"Content-Range": f"bytes */{len(content)}"})
                return
        self._headers(status, headers | {"Content-Length": str(len(content) - start)})
        if not with_body:
            return
        hub.asked[file] += 1
        end = len(content)
        if hub.cuts.get(file):
            end = min(end, start + hub.cuts[file].pop(0))
            self.close_connection = True
        for at in range(start, end, 1 << 16):
            block = content[at : min(at + (1 << 16), end)]
            hub.sent[file] += len(block)  # before it is: the client may be done at once
            try:
                self.wfile.write(block)
            except OSError:
                self.close_connection = True
                return
            if hub.pace:
                time.sleep(len(block) / hub.pace)
