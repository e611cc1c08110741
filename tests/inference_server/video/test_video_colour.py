"""Flat colours come in, and through the writer and back, within 2 of 255."""

from __future__ import annotations

import numpy as np
import pytest
from video_files import make

from inference_server.video.reader import Reader
from inference_server.video.writer import Writer

BARS = [
    *[(191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0)],
    *[(0, 0, 191), (255, 255, 0), (0, 255, 255), (0, 255, 0), (255, 0, 255), (255, 0, 0)],
    *[(0, 0, 255), (200, 160, 130), (64, 128, 200), (30, 60, 30)],
]
GREYS = [(level, level, level) for level in range(0, 256, 17)]
CELL = 32


def chart(height: int = 256) -> np.ndarray:
    """Colour bars above a grey ramp, in cells of 32 pixels."""
    rows = [np.repeat(np.array(row, np.uint8), CELL, axis=0) for row in (BARS, GREYS)]
    return np.concatenate([np.repeat(row[None], height // 2, axis=0) for row in rows])


def flat_error(picture: np.ndarray, truth: np.ndarray) -> float:
    """Largest difference inside the cells, away from their edges."""
    height, width = truth.shape[:2]
    error = np.abs(picture[:height, :width].astype(int) - truth)
    inside = (np.arange(width) % CELL >= 8) & (np.arange(width) % CELL < 24)
    return np.concatenate(
        [error[8 : height // 2 - 8, inside], error[height // 2 + 8 : -8, inside]]
    ).max()


def through_the_writer(reader: Reader, path) -> np.ndarray:
    with Writer(path, reader.width, reader.height, reader.rate, colour=reader.colour) as writer:
        for picture in reader:
            writer.write(picture)
    return list(Reader(path))[-1]


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", [1, 6])
def test_bars_and_ramp_survive_decode_encode_decode(tmp_path, matrix, full_range, depth):
    truth = chart()
    path = make(
        tmp_path / "in.mp4",
        [truth] * 3,
        codec="libx264",
        pixels="yuv420p" if depth == 8 else "yuv420p10le",
        options={"crf": "2", "preset": "ultrafast"},
        matrix=matrix,
        full_range=full_range,
    )
    reader = Reader(path)
    assert reader.infos[0].bits == depth and reader.infos[0].remarks == []
    read = next(iter(reader))
    assert flat_error(read, truth) <= 2
    assert flat_error(through_the_writer(reader, tmp_path / "out.mp4"), read) <= 2


@pytest.mark.parametrize(
    "pixels, codec, options, bound",
    [
        ("yuvj420p", "mjpeg", {"qmin": "1", "qmax": "1"}, 4),
        ("yuv444p", "ffv1", {}, 2),
        ("rgb24", "libx264rgb", {"qp": "0"}, 0),
        ("bgr0", "ffv1", {}, 0),
        ("rgb24", "png", {}, 0),
    ],
)
def test_other_pixel_formats(tmp_path, pixels, codec, options, bound):
    path = make(
        tmp_path / "in.mov" if codec == "png" else tmp_path / "in.mkv",
        [chart()] * 2,
        codec=codec,
        pixels=pixels,
        options=options,
        matrix=6 if pixels.startswith("yuv") else None,
        full_range=True if pixels == "yuvj420p" else None,
    )
    reader = Reader(path)
    read = next(iter(reader))
    assert flat_error(read, chart()) <= bound
    if codec != "mjpeg":  # whose noise makes its cells not flat
        assert flat_error(through_the_writer(reader, tmp_path / "out.mp4"), read) <= 2


@pytest.mark.parametrize(
    "width, height, matrix, wrong",
    [(512, 256, 6, 1), (512, 720, 6, 1), (1280, 720, 1, 6), (736, 1280, 1, 6)],
)
def test_untagged_is_709_from_720_on_the_shorter_side(tmp_path, width, height, matrix, wrong):
    truth = np.tile(chart(height), (1, 3, 1))[:, :width]

    def untagged(made_with: int) -> Reader:
        options = {"crf": "2", "preset": "ultrafast"}
        path = tmp_path / f"{made_with}.mp4"
        return Reader(make(path, [truth], options=options, matrix=made_with, tagged=False))

    reader = untagged(matrix)
    assert reader.colour.matrix in ((1,) if matrix == 1 else (5, 6))
    assert any("untagged" in remark for remark in reader.remarks)
    assert flat_error(next(iter(reader)), truth) <= 2
    assert flat_error(next(iter(untagged(wrong))), truth) > 10, "the matrix makes no difference"


def test_untagged_may_be_read_as_blender_shows_it(tmp_path):
    truth = np.tile(chart(720), (1, 3, 1))[:, :1280]
    options = {"crf": "2", "preset": "ultrafast"}
    path = make(tmp_path / "hd.mp4", [truth], options=options, matrix=6, tagged=False)
    reader = Reader(path, untagged_matrix=6)
    assert flat_error(next(iter(reader)), truth) <= 2


@pytest.mark.parametrize(
    "name, codec, pixels",
    [
        ("a.mov", "qtrle", "argb"),
        ("a.mov", "png", "rgba"),
        ("a.mov", "prores_ks", "yuva444p10le"),
        ("a.webm", "libvpx-vp9", "yuva420p"),
    ],
)
def test_alpha_is_laid_over_black(tmp_path, name, codec, pixels):
    picture = np.full((64, 96, 4), 200, np.uint8)
    picture[:, :32, 3], picture[:, 32:64, 3], picture[:, 64:, 3] = 0, 128, 255
    path = make(tmp_path / name, [picture] * 3, codec=codec, pixels=pixels, matrix=6)
    reader = Reader(path)
    read = list(reader)[1][32].astype(int)
    assert reader.frames == 3 and any("alpha" in remark for remark in reader.remarks)
    assert np.abs(read[16] - 0).max() <= 2
    assert np.abs(read[48] - 100).max() <= 2
    assert np.abs(read[80] - 200).max() <= 2
