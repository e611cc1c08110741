"""From files to files without a server: what a worker does with one job."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from takes import SHORT, request, write_clip

from inference_server import reshoot as reshooting
from inference_server.engines import paces
from inference_server.engines.base import Cancelled, Rendering
from inference_server.reshoot import reshoot
from inference_server.video.probe import probe
from inference_server.video.reader import Reader
from shared.errors import RecamError


class Echo:
    """An engine that gives the clip back, brighter with each take, and keeps what it was given."""

    name = "echo"
    settings = frozenset({"subject_distance", "takes", "start", "start_clip", "strength"})
    started: tuple | list = ()

    def render(self, clip, source_camera, trajectory, settings, on_progress, should_stop):
        self.given, self.started = settings, []
        for number in range(settings.get("takes", 1)):
            self.started.append(number)
            on_progress(0, 0, "loading the weights", settings.get("early", ()))
            take = Rendering(clip.width, clip.height, iter(()), {"seed": number}, pace="x", work=9)
            take.frames = self._frames(clip, take, number, on_progress)
            yield take
            assert take.remarks, "the next take is asked for before this one is read to its end"

    def _frames(self, clip, take, number, on_progress):
        for index, frame in enumerate(clip):
            on_progress(index + 1, clip.frames, "writing")
            yield np.minimum(frame // 2 + 20 * number, 255).astype(np.uint8)
        take.remarks += ["Every take says this.", f"Take {number} is grey."]


@pytest.fixture(autouse=True)
def _state(tmp_path_factory, monkeypatch):
    """Where paces are kept."""
    monkeypatch.setenv("RECAM_STATE", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
def echo(monkeypatch):
    engine = Echo()
    monkeypatch.setattr(reshooting, "load", lambda name, releases: engine)
    return engine


def shoot(clip, out, **more) -> dict:
    return reshoot([clip], request(SHORT).shot, out, **more)


def test_the_result_is_what_the_protocol_says(short_clip, tmp_path):
    out, steps = tmp_path / "take.mp4", []
    result = shoot(short_clip, out, on_progress=lambda *step, **_: steps.append(step))
    assert set(result) == {"takes", "rate", "remarks", "seconds"}
    (take,) = result["takes"]
    assert set(take) == {"size", "sha256", "width", "height", "content_size", "frames", "report"}
    assert take["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert (take["size"], take["frames"], result["rate"]) == (out.stat().st_size, SHORT, "25")
    assert probe(out).frames == SHORT
    steps = [step[:2] for step in steps]
    assert steps[-1] == (SHORT, SHORT) and steps == sorted(steps)
    assert any("stand still" in remark for remark in result["remarks"])
    assert any("never saw" in remark for remark in result["remarks"])


def test_what_is_known_before_the_wait_is_said_then_and_kept(short_clip, tmp_path, echo):
    said = []

    def on_progress(step, steps, doing="", remarks=(), picture=None):
        said.append((doing, list(remarks)))

    settings = {"unheard": 1, "early": ["It takes an hour."]}
    echo.settings |= {"early"}
    result = shoot(short_clip, tmp_path / "take.mp4", settings=settings, on_progress=on_progress)
    (number,) = (n for n, (_, remarks) in enumerate(said) if "It takes an hour." in remarks)
    before = [remark for _, remarks in said[:number] for remark in remarks]
    assert any("stand still" in remark for remark in before)
    assert any("does not know unheard" in remark for remark in before)
    assert said[number][0] == "loading the weights"
    assert result["remarks"].count("It takes an hour.") == 1
    assert {*before} <= {*result["remarks"]} and len(set(before)) == len(before)


def test_a_stop_leaves_nothing_behind(short_clip, tmp_path):
    steps = []
    with pytest.raises(Cancelled):
        shoot(
            short_clip,
            tmp_path / "take.mp4",
            on_progress=lambda *step, **_: steps.append(step),
            should_stop=lambda: len(steps) >= 2,
        )
    assert [*tmp_path.iterdir()] == []
    assert len(steps) < SHORT


def test_every_frame_of_the_take_is_shown_with_how_far_it_is(short_clip, tmp_path, echo):
    shown = []

    def on_progress(step, steps, doing="", remarks=(), picture=None):
        if picture:
            shown.append((step, doing, picture()))

    shoot(short_clip, tmp_path / "take.mp4", on_progress=on_progress)
    assert [(step, doing) for step, doing, _ in shown] == [(n + 1, "writing") for n in range(SHORT)]
    for (_, _, picture), frame in zip(shown, Reader(short_clip), strict=True):
        assert (picture == frame // 2).all()


def test_what_a_take_took_is_learnt_and_a_stop_teaches_nothing(short_clip, tmp_path, echo):
    def stop() -> bool:
        return True

    with pytest.raises(Cancelled):
        shoot(short_clip, tmp_path / "take.mp4", engine="echo", should_stop=stop)
    assert paces.seconds_for("echo x", 9) is None
    seconds = shoot(short_clip, tmp_path / "take.mp4", engine="echo")["seconds"]
    assert 0 < paces.seconds_for("echo x", 9) <= seconds


def test_takes_lie_beside_each_other(short_clip, tmp_path, echo):
    result = shoot(short_clip, tmp_path / "take.mp4", settings={"takes": 3})
    names = ["take.mp4", "take-2.mp4", "take-3.mp4"]
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(names)
    assert [take["report"]["seed"] for take in result["takes"]] == [0, 1, 2]
    means = []
    for name, take in zip(names, result["takes"], strict=True):
        assert take["sha256"] == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        frames = [*Reader(tmp_path / name)]
        assert len(frames) == take["frames"] == SHORT
        means.append(np.mean(frames))
    assert np.diff(means) == pytest.approx([20, 20], abs=2)
    said = result["remarks"]
    assert said.count("Every take says this.") == 1
    assert [remark for remark in said if "grey" in remark] == [
        f"Take {number} is grey." for number in range(3)
    ]


def test_a_stop_in_a_later_take_removes_the_earlier_ones(short_clip, tmp_path, echo):
    with pytest.raises(Cancelled):
        shoot(
            short_clip,
            tmp_path / "take.mp4",
            settings={"takes": 3},
            should_stop=lambda: echo.started[-1:] == [1],
        )
    assert echo.started == [0, 1]
    assert [*tmp_path.iterdir()] == []


def test_what_another_engine_is_asked_for_is_left_out_aloud(short_clip, tmp_path):
    asked = {"prompt": "boats", "takes": 2}
    result = shoot(short_clip, tmp_path / "take.mp4", start=short_clip, settings=asked)
    assert len(result["takes"]) == 1
    (said,) = (remark for remark in result["remarks"] if "does not know" in remark)
    assert "projection" in said and "prompt, takes, start" in said


def test_nothing_is_left_out_where_nothing_was_asked(short_clip, tmp_path):
    remarks = shoot(short_clip, tmp_path / "take.mp4")["remarks"]
    assert not any("does not know" in remark for remark in remarks)


def test_a_video_to_start_from_comes_frame_for_frame(short_clip, tmp_path, echo):
    larger = write_clip(tmp_path / "start.mp4", SHORT + 1, 144, 96)
    result = shoot(short_clip, tmp_path / "take.mp4", start=larger, settings={"strength": 0.5})
    start = echo.given["start_clip"]
    assert (start.frames, start.width, len([*start])) == (SHORT, 144, SHORT)
    assert echo.given["strength"] == 0.5
    assert not any("does not know" in remark for remark in result["remarks"])


@pytest.mark.parametrize(
    ("frames", "width", "words"),
    [(SHORT + 3, 96, "11 frames, the clip 8"), (SHORT - 3, 96, "5 frames"), (SHORT, 64, "64x64")],
)
def test_a_video_to_start_from_must_fit(short_clip, tmp_path, echo, frames, width, words):
    other = write_clip(tmp_path / "start.mp4", frames, width, 64)
    with pytest.raises(RecamError) as caught:
        shoot(short_clip, tmp_path / "take.mp4", start=other)
    assert caught.value.code == "start_clip" and words in caught.value.sentence
    assert not (tmp_path / "take.mp4").exists()
