"""Frames come out in order, exactly, from whatever a camera or a browser wrote."""

from __future__ import annotations

import threading
import tracemalloc
from fractions import Fraction

import av
import numpy as np
import psutil
import pytest
from video_files import CLIPS, make, make_numbered, number_of, numbered, numbers_of

from inference_server.video.reader import Reader
from shared.errors import RecamError

LONG_GOP = {"g": "250", "bf": "3", "b_strategy": "0", "sc_threshold": "0", "preset": "ultrafast"}


@pytest.fixture(scope="module")
def long_gop(tmp_path_factory):
    """300 frames, B-frames, key frames far apart."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return make_numbered(path, 300, options={**LONG_GOP, "g": "90"})


def test_all_frames_come_in_order(long_gop):
    reader = Reader(long_gop)
    assert (reader.width, reader.height, reader.frames, reader.rate) == (96, 72, 300, 25)
    pictures = list(reader)
    assert numbers_of(pictures) == list(range(300))
    assert pictures[0].shape == (72, 96, 3) and pictures[0].dtype == np.uint8
    assert pictures[0].flags.c_contiguous
    assert numbers_of(reader) == list(range(300)), "a second reading differs"


@pytest.mark.parametrize("first", [1, 2, 3, 88, 89, 90, 91, 93, 179, 180, 181, 269, 298, 299])
def test_in_point_is_exact_between_far_key_frames(long_gop, first):
    assert numbers_of(Reader(long_gop, first, min(2, 300 - first)))[0] == first


def test_in_and_out_points_give_just_those_frames(long_gop):
    assert numbers_of(Reader(long_gop, 100, 37)) == list(range(100, 137))


@pytest.mark.parametrize(
    "name, codec, options",
    [
        ("a.mkv", "libx264", LONG_GOP),
        ("a.ts", "libx264", {**LONG_GOP, "g": "20"}),
        ("a.mpg", "mpeg2video", {"g": "12", "bf": "2", "qscale": "2", "b": "4000000"}),
        ("a.avi", "mpeg4", {"g": "12", "bf": "2", "b": "4000000"}),
        ("a.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "10"}),
        ("b.webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16", "deadline": "good"}),
        ("a.mp4", "libx265", {"preset": "ultrafast", "x265-params": "keyint=20:log-level=0"}),
        ("a.h264", "libx264", {**LONG_GOP, "g": "20"}),
        ("a.flv", "libx264", LONG_GOP),
        ("a.mov", "prores_ks", {}),
        ("c.avi", "mjpeg", {"qscale": "2"}),
    ],
)
def test_every_in_point_is_exact_in_every_container(tmp_path, name, codec, options):
    pixels = {"prores_ks": "yuv422p10le", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
    path = make_numbered(tmp_path / name, 40, codec=codec, pixels=pixels, options=options)
    assert numbers_of(Reader(path)) == list(range(40))
    for first in (1, 9, 10, 11, 12, 13, 19, 20, 21, 27, 39):
        assert number_of(next(iter(Reader(path, first)))) == first


def test_in_points_in_a_real_mpeg_program_stream():
    path = CLIPS / "cityCC0.mpg"
    every = [picture[::8, ::8].copy() for picture in Reader(path)]
    assert len(every) == 190
    for first in (1, 11, 12, 13, 100, 116, 189):
        picture = next(iter(Reader(path, first)))
        assert np.array_equal(picture[::8, ::8], every[first])


@pytest.mark.parametrize("width, height", [(97, 73), (1, 1), (33, 64), (720, 405)])
def test_odd_sizes(tmp_path, width, height):
    picture = np.full((height, width, 3), 200, np.uint8)
    path = make(tmp_path / "odd.mkv", [picture] * 3, codec="ffv1", pixels="yuv420p")
    read = list(Reader(path))
    assert len(read) == 3 and read[0].shape == (height, width, 3)
    assert np.abs(read[0].astype(int) - 200).max() <= 2


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
def test_a_turned_phone_clip_is_shown_upright(tmp_path, rotation):
    upright = numbered(0b101100111, 64, 96)
    stored = np.rot90(upright, -rotation // 90)
    path = make(tmp_path / "phone.mp4", [stored] * 4, rotation=rotation)
    reader = Reader(path)
    pictures = list(reader)
    assert (reader.height, reader.width) == upright.shape[:2] == pictures[0].shape[:2]
    assert number_of(pictures[0]) == 0b101100111


def test_a_mirrored_clip_is_shown_as_the_camera_app_does(tmp_path):
    upright = numbered(0b101100111, 64, 96)
    path = tmp_path / "selfie.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 96, "yuv420p"
        stream.set_display_rotation(0, hflip=True)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(upright[:, ::-1]), "rgb24")
        file.mux(stream.encode(frame.reformat(format="yuv420p")))
        file.mux(stream.encode())
    assert number_of(next(iter(Reader(path)))) == 0b101100111


def test_variable_rate_is_made_constant_and_said_aloud(tmp_path):
    """30 frames a second, with a pause of 10 and one of 5 frames."""
    places = [n + (10 if n >= 20 else 0) + (5 if n >= 40 else 0) for n in range(60)]
    path = make_numbered(
        tmp_path / "vfr.mp4",
        60,
        times=[3000 * place for place in places],
        tick=Fraction(1, 90000),
        rate=30,
    )
    reader = Reader(path)
    assert reader.rate == 30 and reader.frames == 75
    assert any("varies" in remark for remark in reader.remarks)
    expected = [max(n for n in range(60) if places[n] <= k) for k in range(75)]
    assert numbers_of(reader) == expected
    assert numbers_of(Reader(path, 25, 10)) == expected[25:35]
    assert numbers_of(Reader(path, 47, 10)) == expected[47:57]


def test_a_jittering_phone_clip_keeps_every_frame(tmp_path):
    rng = np.random.default_rng(1)
    times = [round(3000 * n + rng.uniform(-900, 900) * (n > 0)) for n in range(90)]
    path = make_numbered(tmp_path / "jitter.mp4", 90, times=times, tick=Fraction(1, 90000), rate=30)
    reader = Reader(path)
    assert abs(reader.rate - 30) < Fraction(1, 10) and reader.infos[0].constant_rate
    assert numbers_of(reader) == list(range(90))


@pytest.mark.parametrize(
    "rate", [Fraction(24000, 1001), 24, 25, Fraction(30000, 1001), 30, 50, Fraction(60000, 1001)]
)
@pytest.mark.parametrize("name", ["rate.mp4", "rate.mkv"])
def test_the_exact_rate_is_found(tmp_path, rate, name):
    path = make_numbered(tmp_path / name, 50, rate=rate, options={"preset": "ultrafast"})
    reader = Reader(path)
    assert reader.rate == rate and reader.frames == 50


def test_several_files_are_one_clip(tmp_path):
    one = make(tmp_path / "one.mp4", [numbered(n) for n in range(20)])
    two = make(tmp_path / "two.mp4", [numbered(n) for n in range(20, 50)])
    assert numbers_of(Reader([one, two])) == list(range(50))
    assert numbers_of(Reader([one, two], 15, 20)) == list(range(15, 35))
    assert numbers_of(Reader([one, two], 25)) == list(range(25, 50))
    other = make(tmp_path / "other.mp4", [numbered(n) for n in range(3)], rate=30)
    with pytest.raises(RecamError, match=r"other.mp4 has 96 x 72 .* 30 .*, but one.mp4") as error:
        Reader([one, other])
    assert error.value.code == "clip_mixed"


def test_a_frame_or_two_too_many_hold_the_last(tmp_path):
    path = make_numbered(tmp_path / "short.mp4", 30)
    reader = Reader(path, 10, 22)
    assert numbers_of(reader) == [*range(10, 30), 29, 29]
    assert any("ends 2 frames early" in remark for remark in reader.remarks)


def test_more_missing_frames_are_refused_with_both_counts(tmp_path):
    path = make_numbered(tmp_path / "short.mp4", 30)
    with pytest.raises(RecamError, match="20 of the 40 frames") as error:
        Reader(path, 10, 40)
    assert error.value.code == "clip_truncated"
    with pytest.raises(RecamError, match="has 30 frames"):
        Reader(path, 30)


def test_damage_in_the_middle_holds_the_last_good_frame(tmp_path):
    path = make_numbered(tmp_path / "x.ts", 60, options={"g": "10", "preset": "ultrafast"})
    with av.open(str(path)) as file:
        place = [packet.pos for packet in file.demux(video=0) if packet.size][30]
    data = bytearray(path.read_bytes())
    data[place : place + 188 * 6] = bytes(188 * 6)
    path.write_bytes(data)
    reader = Reader(path, frames=60)
    read = numbers_of(reader)
    assert len(read) == 60 and read[:30] == list(range(30)) and read[45:] == list(range(45, 60))
    assert any("damaged" in remark for remark in reader.remarks)


def test_a_cut_off_file_is_read_to_its_end(tmp_path):
    path = make_numbered(tmp_path / "x.mkv", 100, codec="mpeg2video", options={"g": "12"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    reader = Reader(path)
    assert 40 < reader.frames < 80
    read = numbers_of(reader)
    assert len(read) == reader.frames and read[:-2] == list(range(reader.frames - 2))


def test_stopping_early_leaves_no_thread_and_no_open_file(long_gop):
    before = threading.active_count()
    frames = iter(Reader(long_gop))
    next(frames), next(frames)
    assert threading.active_count() > before
    frames.close()
    assert threading.active_count() == before
    opened = [file.path for file in psutil.Process().open_files()]
    assert str(long_gop) not in opened


def test_memory_does_not_grow_with_length(tmp_path):
    """360 frames of 0.2 MB more would show, as arrays or as the decoder's own."""
    path = make_numbered(tmp_path / "many.mp4", 400, 320, 240)

    def peak(frames: int) -> tuple[int, int]:
        process, resident = psutil.Process(), 0
        tracemalloc.start()
        for number, _ in enumerate(Reader(path, frames=frames)):
            if number % 20 == 19:
                resident = max(resident, process.memory_info().rss)
        arrays = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return arrays, resident

    peak(40)
    (arrays, resident), (many_arrays, more_resident) = peak(40), peak(400)
    assert many_arrays < 1.1 * arrays + 50_000
    assert more_resident < resident + 15e6
