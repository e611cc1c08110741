"""What is said about a clip before it is read, and about files that are none."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from video_files import CLIPS, beep, make, make_numbered, numbered

from inference_server.video.opening import open_file
from inference_server.video.probe import probe
from inference_server.video.reader import Reader
from shared.errors import RecamError


def refused(file) -> RecamError:
    with pytest.raises(RecamError) as error:
        probe(file)
    assert error.value.code == "clip_unreadable"
    assert error.value.sentence.startswith(file.name) and error.value.hint
    return error.value


def test_real_clips():
    city = probe(CLIPS / "cityCC0.mpg")
    assert (city.width, city.height, city.frames, city.rate) == (720, 405, 190, 25)
    assert city.constant_rate and not city.has_audio and city.colour.matrix == 6
    bunny = probe(CLIPS / "bigbuckbunny.mp4")
    assert (bunny.width, bunny.height, bunny.frames, bunny.rate) == (1280, 720, 132, 25)
    assert bunny.has_audio and bunny.codec == "h264" and bunny.colour.matrix == 1
    assert any("untagged and was taken as BT.709" in remark for remark in bunny.remarks)


def test_size_and_pixel_aspect_are_as_shown_after_rotation(tmp_path):
    info = probe(make_numbered(tmp_path / "a.mp4", 3, 96, 64, rotation=90, aspect=Fraction(4, 3)))
    assert (info.width, info.height, info.rotation) == (64, 96, 90)
    assert info.sample_aspect == Fraction(3, 4)
    assert any("not square" in remark for remark in info.remarks)


def test_depth_alpha_range_and_tags(tmp_path):
    picture = [np.zeros((64, 96, 4), np.uint8)] * 2
    ten = probe(make(tmp_path / "a.mkv", picture, codec="ffv1", pixels="yuva444p10le"))
    assert ten.bits == 10 and ten.has_alpha
    assert any("alpha" in remark for remark in ten.remarks)
    full = probe(make(tmp_path / "b.mp4", picture, matrix=6, full_range=True))
    assert full.colour.full_range and full.colour.matrix == 6 and full.remarks == []
    assert full.bits == 8 and not full.has_alpha


def test_hdr_is_said_aloud(tmp_path):
    path = tmp_path / "pq.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx265", rate=25, options={"x265-params": "log-level=0"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p10le"
        stream.codec_context.color_primaries, stream.codec_context.color_trc = 9, 16
        stream.codec_context.colorspace = 9
        file.mux(stream.encode(av.VideoFrame(96, 64, "yuv420p10le")))
        file.mux(stream.encode())
    info = probe(path)
    assert (info.colour.matrix, info.colour.primaries, info.colour.transfer) == (9, 9, 16)
    assert any("HDR (PQ)" in remark for remark in info.remarks)


def test_files_that_are_no_clips_are_named_with_the_reason(tmp_path):
    assert "does not exist" in refused(tmp_path / "gone.mp4").sentence
    assert "folder" in refused(tmp_path).sentence
    empty = tmp_path / "empty.mp4"
    empty.touch()
    assert "empty" in refused(empty).sentence
    text = tmp_path / "text.mp4"
    text.write_text("This is a shopping list.\n" * 200)
    assert "not a video file" in refused(text).sentence
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear reader,\n" * 50)
    assert "not a video file" in refused(letter).sentence
    with av.open(str(tmp_path / "still.png"), "w", format="image2") as file:
        stream = file.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "rgb24"
        file.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(1, 64, 64))))
        file.mux(stream.encode())
    assert "still picture" in refused(tmp_path / "still.png").sentence
    with av.open(str(tmp_path / "sound.m4a"), "w") as file:
        stream = file.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(beep(1, 0)[None].astype(np.float32), "fltp", "mono")
        frame.rate, frame.pts = 48000, 0
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    assert "sound but no picture" in refused(tmp_path / "sound.m4a").sentence


def test_a_clip_without_its_index_is_refused(tmp_path):
    path = make_numbered(tmp_path / "cut.mp4", 50)
    path.write_bytes(path.read_bytes()[:-3000])
    error = refused(path)
    assert "cut off or damaged: its table of contents is missing" in error.sentence
    assert error.hint == "Copy or export it again."


def test_a_clip_whose_end_is_missing_says_how_much_is_there(tmp_path):
    path = make_numbered(tmp_path / "cut.mov", 50, 320, 240, codec="mjpeg", pixels="yuvj420p")
    with (
        av.open(str(path)) as file,
        av.open(str(tmp_path / "front.mp4"), "w", options={"movflags": "+faststart"}) as out,
    ):
        target = out.add_stream_from_template(file.streams.video[0])
        for packet in file.demux(video=0):
            if packet.size:
                packet.stream = target
                out.mux(packet)
    path = tmp_path / "front.mp4"
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    reader = Reader(path)
    assert 25 < reader.frames < 45
    assert any(f"{reader.frames} of 50 frames are there" in remark for remark in reader.remarks)
    assert len(list(reader)) == reader.frames


@pytest.mark.parametrize(
    "name, text",
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n"),
        ("list.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile secret.ts\n"),
        ("list.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 26\n"),
    ],
)
def test_a_playlist_cannot_open_other_files(tmp_path, name, text):
    make_numbered(tmp_path / "secret.ts", 5)
    (tmp_path / name).write_text(text)
    assert "not a video file" in refused(tmp_path / name).sentence


def test_a_name_is_never_taken_for_a_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_numbered(tmp_path / "take.mp4", 3).rename(tmp_path / "concat:take 1%d.mp4")
    assert probe("concat:take 1%d.mp4").frames == 3
    with pytest.raises(RecamError, match="does not exist"):
        open_file("subfile,,start,0,end,99,,:concat:take 1%d.mp4")


def test_cover_art_is_not_taken_for_the_clip(tmp_path):
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as file:
        sound = file.add_stream("mp3", rate=48000, layout="mono")
        cover = file.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        file.mux(cover.encode(av.VideoFrame.from_ndarray(numbered(1, 64, 64))))
        file.mux(cover.encode())
        frame = av.AudioFrame.from_ndarray(beep(1, 0)[None].astype(np.float32), "fltp", "mono")
        frame.rate, frame.pts = 48000, 0
        file.mux(sound.encode(frame))
        file.mux(sound.encode())
    assert "sound but no picture" in refused(path).sentence
