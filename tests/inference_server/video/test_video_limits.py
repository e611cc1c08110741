"""What a file may ask for: refused beyond it in words, and read up to it."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from stress.media.parts import avi, box, element, full, jpeg, jpeg_claiming, mkv, mp4, u32
from video_files import beep, make, make_numbered, numbers_of

from inference_server.video import limits, opening
from inference_server.video.contents import claims_too_much
from inference_server.video.opening import check_size
from inference_server.video.probe import probe
from inference_server.video.reader import Reader
from inference_server.video.timing import frame_number
from inference_server.video.writer import Writer
from shared.errors import RecamError


def refused(path, data: bytes) -> str:
    """What is said of the file, without its name."""
    path.write_bytes(data)
    with pytest.raises(RecamError) as error:
        list(Reader(path))
    assert error.value.code == "clip_unreadable" and error.value.hint
    assert error.value.sentence.startswith(path.name)
    return error.value.sentence.removeprefix(path.name).strip()


def read(path, data: bytes) -> Reader:
    """The clip's reader, once it has been read to its end."""
    path.write_bytes(data)
    reader = Reader(path)
    assert len(list(reader)) == reader.frames
    return reader


def test_pictures_are_measured_before_they_are_decoded(tmp_path):
    head = b"YUV4MPEG2 W100000 H2 F25:1 C420\nFRAME\n"
    assert "100,000 x 2 pixels" in refused(tmp_path / "a.y4m", head + bytes(400_000))
    assert "30,000 x 30,000" in refused(tmp_path / "b.mkv", mkv([jpeg()] * 2, 30_000, 30_000))
    hidden = refused(tmp_path / "c.avi", avi([jpeg_claiming(30_000, 30_000)] * 2))
    assert "no picture" in hidden
    several = mp4([jpeg()], 12_000, 8_000, tracks=2)
    assert "several videos" in refused(tmp_path / "d.mov", several)


def test_8k_and_16k_and_panoramas_are_read():
    for size in ((7680, 4320), (16_384, 8_192), (16_384, 8_640), (16_384, 1), (8_640, 16_384)):
        check_size(*size, "clip.mp4")


def test_a_wide_panorama_is_read_whole(tmp_path):
    path = make_numbered(tmp_path / "wide.mkv", 2, 16_384, 128, codec="mjpeg", pixels="yuvj420p")
    assert numbers_of(Reader(path)) == [0, 1]


@pytest.mark.parametrize(
    "name, codec, pixels, options",
    [
        ("a.mov", "prores_ks", "yuva444p10le", {"profile": "4444"}),
        ("a.mkv", "ffv1", "yuv444p12le", {}),
        ("b.mkv", "ffv1", "gbrp16le", {}),
        ("a.mxf", "dnxhd", "yuv422p10le", {"profile": "dnxhr_hqx"}),
        ("b.mov", "cfhd", "yuv422p10le", {}),
        ("c.mov", "qtrle", "rgb24", {}),
        ("a.avi", "utvideo", "yuv422p", {}),
        ("b.avi", "rawvideo", "bgr24", {}),
        ("a.flv", "flv", "yuv420p", {}),
        ("a.gif", "gif", "rgb8", {}),
        ("a.apng", "apng", "rgb24", {}),
    ],
)
def test_what_artists_have_is_read(tmp_path, name, codec, pixels, options):
    size = (256, 192)
    path = make_numbered(tmp_path / name, 4, *size, codec=codec, pixels=pixels, options=options)
    assert numbers_of(Reader(path)) == [0, 1, 2, 3]


def test_containers_and_codecs_of_games_and_text_are_not_opened(tmp_path):
    meeting = avi([jpeg()] * 3).replace(b"MJPG", b"G2M4")
    assert "not read here" in refused(tmp_path / "a.avi", meeting)
    smacker = b"SMK2" + bytes(900)
    assert "not a video file that can be opened" in refused(tmp_path / "a.smk", smacker)
    assert "text" in refused(tmp_path / "b.mp4", b"a letter\n" * 900)
    assert "archive" in refused(tmp_path / "c.mp4", b"PK\x03\x04" + bytes(900))
    assert "program" in refused(tmp_path / "d.mp4", b"MZ" + bytes(900))


def test_a_table_of_contents_that_claims_millions_is_refused_before_it_is_listed(tmp_path):
    picture = jpeg()
    for lie in (
        {"stsz": u32(1, 80_000_000)},
        {"stsz": u32(0, 0xFFFFFFFF, len(picture))},
        {"stsc": u32(1, 1, 80_000_000, 1)},
        {"beyond": box(b"moof", box(b"traf", full(b"trun", 0, u32(80_000_000))))},
        {"edts": box(b"edts", full(b"elst", 0, u32(90_000_000)))},
    ):
        said = refused(tmp_path / "a.mov", mp4([picture] * 2, **lie))
        assert "claims" in said or "contradicts" in said
    late = mp4([picture] * 2) + box(b"moof", box(b"traf", full(b"trun", 0, u32(80_000_000))))
    assert "claims 80,000,002 frames" in refused(tmp_path / "b.mov", late)
    assert "tracks" in refused(tmp_path / "c.mov", mp4([picture], tracks=300))


def test_hours_of_plain_sound_are_no_lie(tmp_path):
    path = tmp_path / "long.mov"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("pcm_u8", rate=192_000, layout="mono")
        for second in range(30):  # 5.8 million samples
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 192_000), np.uint8), "u8", "mono")
            frame.rate, frame.pts = 192_000, second * 192_000
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    assert path.read_bytes().count(b"stsz") == 1
    assert claims_too_much(path) == ""


def test_pieces_that_lie_over_each_other_come_to_an_end(tmp_path):
    over = mp4(
        [jpeg()],
        stsz=u32(5_000, 500_000),
        stco=u32(500_000, *[28] * 500_000),
        stts=u32(1, 500_000, 1),
    )
    assert "file of its size" in refused(tmp_path / "a.mov", over)


def test_rates_and_times_that_no_clip_has(tmp_path):
    picture = [jpeg()] * 6
    fast = mkv(picture, scale=1, times=list(range(6)))
    assert "1,000,000,000 frames a second" in refused(tmp_path / "a.mkv", fast)
    years = mkv(picture, times=[0, 40, 80, 10**12, 10**12 + 40, 10**12 + 80])
    assert "jump by 32 years" in refused(tmp_path / "b.mkv", years)
    day = mkv(picture, times=[0, 40, 80, 86_400_000, 86_400_040, 86_400_080])
    assert "claims 2,160,003 frames" in refused(tmp_path / "c.mkv", day)
    assert read(
        tmp_path / "d.mkv", mkv(picture, times=[1_700_000_000_000 + 40 * n for n in range(6)])
    )


def test_nanoseconds_for_two_days_are_counted_exactly():
    tick, rate = Fraction(1, 10**9), Fraction(999_983, 1_001)
    ticks = [0, 10**9, 172_800 * 10**9]
    exact = [frame_number(each, tick, rate) for each in ticks]
    assert list(frame_number(np.array(ticks), tick, rate)) == exact


def test_a_pixel_of_65535_to_1_is_not_believed(tmp_path):
    entry = box(b"pasp", u32(65_535, 1))
    reader = read(tmp_path / "a.mov", mp4([jpeg()] * 3, entry=entry))
    assert reader.sample_aspect == 1
    assert any("not believed" in remark for remark in reader.remarks)


def test_a_size_that_changes_on_the_way_is_said(tmp_path):
    reader = read(tmp_path / "a.avi", avi([jpeg(), jpeg(), jpeg(200, 100), jpeg()]))
    assert {frame.shape for frame in reader} == {(64, 96, 3)}
    assert any("changes its size" in remark for remark in reader.remarks)


def test_a_picture_that_bursts_on_the_way_is_not_made_room_for(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "_MAX_PIXELS", {"max_pixels": "10000"})  # the clip has 6144
    reader = read(tmp_path / "a.avi", avi([*[jpeg()] * 4, jpeg(200, 100), *[jpeg()] * 40]))
    assert any("damaged in 1 place;" in remark for remark in reader.remarks)
    assert not any("changes its size" in remark for remark in reader.remarks)


def test_one_frame_that_is_there_no_more_is_missed(tmp_path):
    """Few enough are missing to be held, but there is nothing to hold."""
    path = make_numbered(tmp_path / "a.mkv", 5, codec="mjpeg", pixels="yuvj420p")
    reader = Reader(path, 0, 1)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\xff\xd8\xff")].ljust(len(data), b"\0"))
    with pytest.raises(RecamError, match="gives only 0 of the 1 frames"):
        list(reader)


def test_damage_without_end_has_one(tmp_path):
    barren = avi([jpeg()] + [b"\xff\xd8\xff\xc0nothing"] * (limits.BARREN_PACKETS + 50))
    assert "no picture for 1,001 packets" in refused(tmp_path / "a.avi", barren)


def test_sound_that_nobody_hears_is_left_out(tmp_path):
    wave = b"\1\0\1\0" + (2_000_000_000).to_bytes(4, "little") * 2 + b"\1\0\x08\0"
    track = element(
        0xAE,
        *(element(0xD7, 2), element(0x83, 2), element(0x86, "A_MS/ACM"), element(0x63A2, wave)),
        element(0xE1, element(0xB5, 2e9), element(0x9F, 1)),
    )
    reader = read(tmp_path / "a.mkv", mkv([jpeg()] * 3, more=track))
    assert not reader.infos[0].has_audio
    assert any("sound cannot be read" in remark for remark in reader.remarks)


def test_damaged_sound_costs_its_moments_and_not_the_take(tmp_path):
    pictures = [np.full((64, 96, 3), 90, np.uint8)] * 50
    path = make(tmp_path / "in.ts", pictures, sound=beep(2, 1.5))
    data, rng = bytearray(path.read_bytes()), np.random.default_rng(4)
    for packet in range(20, len(data) // 188, 3):
        data[packet * 188 + 60 : packet * 188 + 120] = rng.bytes(60)
    path.write_bytes(data)
    reader = Reader(path)
    out = tmp_path / "out.mp4"
    with Writer(out, 96, 64, Fraction(25), audio=reader.audio_parts()) as writer:
        for frame in reader:
            writer.write(frame)
    assert probe(out).frames == reader.frames and probe(out).has_audio
