"""The jobs of a campaign: who sends what, from which clip, and what the take must be."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.trajectory import Shot
from shared.protocol.request import JobRequest

CLIPS = {"tiny": (4, 96, 64), "small": (8, 320, 180), "middle": (12, 480, 270)}  # frames, size
ANGLES = (5, 20)  # degrees of the orbit
PADDING = 200_000, 3_000_000  # bytes behind a clip that is a job's own


@dataclass(frozen=True)
class Job:
    """One job of the plan.

    artist: number of who sends it. clip: one of CLIPS. padding: bytes behind the clip, which make
    it a file of its own; 0 for the clip as others send it too. cancel: the stage in which the
    artist calls it off, or nothing. delete: whether the server is to delete what was delivered.
    """

    id: str
    artist: int
    clip: str
    angle: int
    padding: int
    takes: int
    cancel: str
    delete: bool = False

    @property
    def frames(self) -> int:
        """Frames of its clip."""
        return CLIPS[self.clip][0]

    def request(self) -> JobRequest:
        """What ``Client.shoot`` takes."""
        lens = lens_from_focal(35.0, 36.0, 16 / 9)
        values = {"angle": self.angle}
        shot = Shot(make_move("orbit", self.frames, Fraction(25), lens, values=values))
        settings = {"takes": self.takes} if self.takes > 1 else {}
        return JobRequest(
            shot=shot,
            parts=(),
            job=self.id,
            name=self.clip,
            engine="projection",
            settings=settings,
            delete_on_delivery=self.delete,
        )

    def write_clip(self, clips: Path, file: Path) -> Path:
        """The clip as this job sends it; a box of MP4's that players skip makes it its own."""
        content = (clips / f"{self.clip}.mp4").read_bytes()
        if self.padding:
            noise = random.Random(self.id).randbytes(self.padding - 8)
            content += self.padding.to_bytes(4, "big") + b"free" + noise
        file.write_bytes(content)
        return file


def make_plan(count: int, artists: int, seed: int) -> list[Job]:
    """``count`` jobs: a quarter from a shared clip, an eighth with two takes, a tenth cancelled,
    a sixth deleted on delivery."""
    dice = random.Random(seed)
    return [
        Job(
            id=f"{dice.getrandbits(128):032x}",
            artist=number % artists,
            clip=dice.choice(list(CLIPS)),
            angle=dice.choice(ANGLES),
            padding=dice.choice((0, *[dice.randint(*PADDING)] * 3)),
            takes=dice.choice((2, *[1] * 7)),
            cancel=dice.choice(("queued", "rendering", *[""] * 18)),
            delete=dice.choice((True, *[False] * 5)),
        )
        for number in range(count)
    ]


def save(plan: list[Job], file: Path) -> None:
    """Write the plan for another process."""
    file.write_text(json.dumps([dataclasses.asdict(job) for job in plan]))


def load(file: Path) -> list[Job]:
    """Read a plan."""
    return [Job(**job) for job in json.loads(file.read_text())]


def references(plan: list[Job], clips: Path) -> dict[tuple[str, int], str]:
    """SHA-256 of the take for each clip and angle of the plan, rendered here, without kills."""
    from inference_server.reshoot import reshoot

    found = {}
    for job in plan:
        if (job.clip, job.angle) not in found:
            out = clips / "reference.mp4"
            shot = job.request().shot
            reshoot([clips / f"{job.clip}.mp4"], shot, out, engine="projection")
            found[job.clip, job.angle] = hashlib.sha256(out.read_bytes()).hexdigest()
    return found
