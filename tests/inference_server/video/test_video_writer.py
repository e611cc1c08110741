"""N frames in are N frames out, exactly timed, or there is no file at all."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from video_files import CLIPS, beep, hear, make, make_numbered, numbered, numbers_of

from inference_server.video.audio import AudioPart
from inference_server.video.colour import Colour
from inference_server.video.reader import Reader
from inference_server.video.writer import Writer
from shared.errors import RecamError


def rewrite(reader: Reader, path, **more):
    with Writer(path, reader.width, reader.height, reader.rate, **more) as writer:
        for picture in reader:
            writer.write(picture)
    return path


@pytest.mark.parametrize(
    "rate", [25, Fraction(24000, 1001), Fraction(30000, 1001), Fraction(1187, 40)]
)
def test_every_frame_is_written_once_in_order_at_its_exact_time(tmp_path, rate):
    path = tmp_path / "out.mp4"
    with Writer(path, 96, 72, rate) as writer:
        for number in range(50):
            writer.write(numbered(number))
    assert writer.frames == 50
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert stream.frames == 50
        times = [frame.pts * stream.time_base for frame in file.decode(stream)]
    assert times == [number / Fraction(rate) for number in range(50)]
    reader = Reader(path)
    assert reader.rate == rate and reader.frames == 50
    assert numbers_of(reader) == list(range(50))


def test_decode_write_decode_keeps_order_and_count_between_in_and_out(tmp_path):
    source = make_numbered(tmp_path / "in.mp4", 120, options={"g": "250", "bf": "3"})
    reader = Reader(source, first=31, frames=60)
    out = Reader(rewrite(reader, tmp_path / "out.mp4"))
    assert numbers_of(out) == list(range(31, 91))


@pytest.mark.parametrize("width, height", [(97, 73), (96, 73), (97, 72), (1, 1)])
def test_odd_sizes_gain_a_repeat_of_their_last_row_and_column(tmp_path, width, height):
    ramp = np.linspace(40, 200, width)[None, :, None] * np.ones((height, 1, 3))
    picture = ramp.astype(np.uint8)
    path = tmp_path / "out.mp4"
    with Writer(path, width, height, 25) as writer:
        writer.write(picture)
    assert writer.content_size == (width, height)
    assert writer.coded_size == (width + width % 2, height + height % 2)
    read = next(iter(Reader(path)))
    assert (read.shape[1], read.shape[0]) == writer.coded_size
    assert np.abs(read[:height, :width].astype(int) - picture).max() <= 3
    assert np.abs(read[-1, -1].astype(int) - picture[-1, -1]).max() <= 3


def test_the_result_is_near_lossless_seekable_h264_that_players_know(tmp_path):
    reader = Reader(CLIPS / "bigbuckbunny.mp4", 20, 30)
    colour = Colour(primaries=9, transfer=14)
    path = rewrite(reader, tmp_path / "out.mp4", colour=colour, sample_aspect=Fraction(4, 3))
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt, context.profile) == ("h264", "yuv420p", "High")
        keys = [n for n, p in enumerate(file.demux(stream)) if p.is_keyframe and p.size]
        assert context.colorspace == 1 and context.color_range == 1
        assert context.color_primaries == 9 and context.color_trc == 14
        assert stream.sample_aspect_ratio == Fraction(4, 3)
    assert max(np.diff(keys)) <= 12
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "a browser must load it all before it plays"
    for one, other in zip(reader, Reader(path), strict=True):
        error = np.mean((one.astype(float) - other) ** 2)
        assert 10 * np.log10(255**2 / error) > 44


def test_an_interrupted_result_leaves_nothing_behind(tmp_path):
    path = tmp_path / "out.mp4"
    path.write_text("the take before")
    with pytest.raises(KeyError), Writer(path, 96, 72, 25) as writer:
        writer.write(numbered(1))
        assert path.read_text() == "the take before"
        raise KeyError
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]
    assert path.read_text() == "the take before"


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(RecamError, match=r"out.mp4 could not be written") as error:
        Writer(tmp_path / "gone" / "out.mp4", 96, 72, 25)
    assert error.value.code == "result_unwritable"


def test_a_frame_of_another_size_is_refused(tmp_path):
    with (
        pytest.raises(ValueError, match="72, 96"),
        Writer(tmp_path / "o.mp4", 96, 72, 25) as writer,
    ):
        writer.write(numbered(1, 64, 64))


def onset(path, level: float = 0.1) -> float:
    """Seconds at which the first sound is heard."""
    heard, rate = hear(path)
    return float(np.argmax(np.abs(heard) > level)) / rate


@pytest.mark.parametrize(
    "name, codec",
    [("in.mp4", "aac"), ("in.ts", "aac"), ("in.mkv", "pcm_s16le"), ("in.mkv", "libopus")],
)
@pytest.mark.parametrize("first", [0, 13, 50])
def test_sound_goes_along_in_time(tmp_path, name, codec, first):
    """A beep at 3 s, in a clip read from frame ``first`` on."""
    path = make(
        tmp_path / name,
        [numbered(n) for n in range(125)],
        options={"preset": "ultrafast", "bf": "2"},
        sound=beep(5, at=3),
        sound_codec=codec,
    )
    reader = Reader(path, first, 100 - first)
    out = rewrite(reader, tmp_path / "out.mp4", audio=reader.audio_parts())
    assert abs(onset(out) - (3 - first / 25)) < 0.012
    heard, rate = hear(out)
    assert abs(len(heard) / rate - reader.frames / 25) < 0.05
    with av.open(str(out)) as file:
        assert file.streams.audio[0].codec_context.name == "aac"
        assert file.streams.video[0].frames == reader.frames
    assert numbers_of(Reader(out)) == list(range(first, first + reader.frames))


@pytest.fixture(scope="module")
def bunny(tmp_path_factory):
    """A real clip with sound, written again."""
    reader = Reader(CLIPS / "bigbuckbunny.mp4")
    path = tmp_path_factory.mktemp("bunny") / "out.mp4"
    return rewrite(reader, path, audio=reader.audio_parts())


def test_aac_is_copied_not_encoded_again(bunny):
    def packets(path) -> list[bytes]:
        with av.open(str(path)) as file:
            return [bytes(packet) for packet in file.demux(audio=0) if packet.size]

    source, copied = packets(CLIPS / "bigbuckbunny.mp4"), packets(bunny)
    assert len(copied) > 200 and copied == source[: len(copied)]


def test_sound_and_picture_are_interleaved(bunny):
    with av.open(str(bunny)) as file:
        places = {"video": [], "audio": []}
        for packet in file.demux():
            if packet.size:
                places[packet.stream.type].append(
                    (packet.pos, float(packet.pts * packet.time_base))
                )
    half = places["video"][66][0]
    before = [time for place, time in places["audio"] if place < half]
    assert abs(before[-1] - 66 / 25) < 0.7


def test_files_in_a_row_bring_their_sound_and_silence(tmp_path):
    pictures = [numbered(n) for n in range(50)]
    loud = make(tmp_path / "a.mp4", pictures, sound=beep(2, at=1.5))
    mute = make(tmp_path / "b.mp4", pictures)
    last = make(tmp_path / "c.mkv", pictures, sound=beep(2, at=0.5), sound_codec="pcm_s16le")
    reader = Reader([loud, mute, last], 25)
    out = rewrite(reader, tmp_path / "out.mp4", audio=reader.audio_parts())
    heard, rate = hear(out)
    step = rate // 50
    tones = [np.abs(heard[k : k + step]).max() > 0.1 for k in range(0, len(heard), step)]
    beeps = np.flatnonzero(tones) / 50
    first, second = beeps[beeps < 2], beeps[beeps > 2]
    assert abs(first[0] - 0.5) <= 0.04 and len(first) <= 8
    assert abs(second[0] - 3.5) <= 0.04 and len(second) <= 8


def test_no_sound_no_stream(tmp_path):
    reader = Reader(CLIPS / "cityCC0.mpg", 0, 5)
    out = rewrite(reader, tmp_path / "out.mp4", audio=reader.audio_parts())
    with av.open(str(out)) as file:
        assert not file.streams.audio


def test_sound_shorter_than_the_picture(tmp_path):
    path = make_numbered(tmp_path / "in.mp4", 100, sound=beep(1, at=0.5))
    reader = Reader(path)
    for part in (reader.audio_parts()[0], AudioPart(str(path), 2.0, 2.0)):
        out = rewrite(reader, tmp_path / "out.mp4", audio=[part])
        assert Reader(out).frames == 100
