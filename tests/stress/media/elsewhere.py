"""Files that send their reader elsewhere: to other files, to addresses, to a pipe without end."""

from __future__ import annotations

import http.server
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

from .parts import Case, box, element, full, jpeg, mkv, mp4, u32
from .seeds import write_secret


class Elsewhere:
    """A folder with a clip that nobody sent, a pipe that would hang, and a server of that clip.

    A context manager. ``requests``: the paths that were asked of the server.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.secret = write_secret(folder / "secret.mp4")
        self.stream = write_secret(folder / "secret.ts", "mpegts")
        self.samples = write_secret(folder / "secret.mov", "mov")
        self.pipe = folder / "pipe.ts"
        os.mkfifo(self.pipe)
        self.folder, self.requests = folder, []
        found = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments) -> None:
                super().__init__(*arguments, directory=str(folder))

            def log_message(self, form: str, *values: object) -> None:
                found.requests.append(self.path)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Elsewhere:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def leading(there: Elsewhere) -> Iterator[Case]:
    """Each way to each of: the clip by its path, from where the file lies, by its address."""
    places = {
        "path": str(there.stream),
        "file-url": f"file:{there.stream}",
        "beside": f"../{there.folder.name}/secret.ts",
        "address": f"{there.address}/secret.ts",
        "pipe": str(there.pipe),
        "part": f"subfile,,start,0,end,99999,,:{there.stream}",
    }
    for where, place in places.items():
        hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{place}\n#EXT-X-ENDLIST\n"
        for ending in ("m3u8", "mp4"):
            yield Case(f"hls-{where}.{ending}", hls.encode(), True)
        yield Case(
            f"concat-{where}.ffconcat", f"ffconcat version 1.0\nfile '{place}'\n".encode(), True
        )
        yield Case(f"dash-{where}.mpd", _dash(place).encode(), True)
    for where in ("path", "address"):
        place = places[where]
        texts = {
            "list.pls": f"[playlist]\nFile1={place}\nNumberOfEntries=1\n",
            "list.asx": f"<asx version='3.0'><entry><ref href='{place}'/></entry></asx>",
            "list.xspf": f"<?xml version='1.0'?><playlist><location>{place}</location></playlist>",
            "list.smil": f"<smil><body><video src='{place}'/></body></smil>",
            "picture.svg": f"<svg xmlns='http://www.w3.org/2000/svg'><image href='{place}'/></svg>",
            "script.avs": f'DirectShowSource("{place}")\n',
            "list.edl": f"# mpv EDL v0\n{place},0,1\n",
            "cpl.xml": f"<CompositionPlaylist><Path>{place}</Path></CompositionPlaylist>",
            "master.m3u8": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{place}\n",
            "key.m3u8": f'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{place}"\n#EXTINF:1,\nx.ts\n',
            "redirect.asf": f"[Reference]\nRef1={place}\n",
            "list.sdp": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns={place}\nm=video 5004 RTP/AVP 26\n",
            "subtitles.idx": f"# VobSub index file, v7\n# {place}\nid: en, index: 0\n",
            "list.txt": f"{place}\n",
        }
        for name, text in texts.items():
            yield Case(f"{where}-{name}", text.encode() * (1 if name == "list.sdp" else 2), True)
    yield from _data_references(there)
    names = (f"concat:{there.stream}", "%d", "*.png", "pipe:0", "-", f"{there.address}/secret.mp4")
    for number, name in enumerate(names):
        # As words in a file's own list of chapters, title, attachments: a reader may follow them.
        info = element(0x7BA9, name) + element(0x3C83AB, name) + element(0x3E83BB, name)
        yield Case(f"mkv-names-{number}.mkv", mkv([jpeg()] * 4, info=info))


def _dash(place: str) -> str:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp2t">'
        f'<Representation id="1" bandwidth="1"><BaseURL>{place}</BaseURL><SegmentList duration="1">'
        f'<SegmentURL media="{place}"/></SegmentList></Representation></AdaptationSet></Period>'
        "</MPD>"
    )


def _data_references(there: Elsewhere) -> Iterator[Case]:
    """MOVs whose samples lie in another file: QuickTime's aliases and addresses."""
    whole = there.samples.read_bytes()
    first = whole.index(b"\xff\xd8\xff")
    length = whole.index(b"\xff\xd9", first) + 2 - first
    for where, path in {
        "path": str(there.samples),
        "beside": f"../{there.folder.name}/secret.mov",
        "address": f"{there.address}/secret.mov",
        "pipe": str(there.pipe),
    }.items():
        for kind in (b"alis", b"url "):
            reference = full(kind, 0, _alias(path) if kind == b"alis" else path.encode() + b"\0")
            data = mp4(
                [bytes(40)] * 4,
                dref=reference,
                stsz=u32(length, 4),
                stco=u32(4, *[first] * 4),
            )
            yield Case(f"mov-{kind.decode().strip()}-{where}.mov", data)
            both = full(b"dref", 0, u32(2), reference, box(b"url ", u32(0), path.encode() + b"\0"))
            more = box(b"dinf", both)
            yield Case(
                f"mov-{kind.decode().strip()}-{where}-late.mov", mp4([jpeg()] * 4, more=more)
            )


def _alias(path: str) -> bytes:
    """An alias record as QuickTime writes it: old names first, then tagged, the path in UTF-8."""
    name = Path(path).name.encode()[:63]
    record = bytes(10) + bytes([4]) + b"disk".ljust(27, b"\0") + bytes(12)
    record += bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16)
    up = (2, 2) if path.startswith("..") else (-1, -1)  # folders up, and down; or from the root
    record += struct.pack(">hh", *up) + bytes(16)
    for tag, text in ((18, path.encode()), (19, b"/"), (2, path.replace("/", ":").encode())):
        record += struct.pack(">HH", tag, len(text)) + text + b"\0" * (len(text) % 2)
    return record + struct.pack(">hH", -1, 0)
