"""Run by the front: ``python -m inference_server.worker --releases FOLDER``."""

from __future__ import annotations

import argparse
import gc
import json
import logging
import re
import threading
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from shared.cameras.recam_json import shot_from_json
from shared.errors import RecamError
from shared.protocol.messages import error_body

from ..engines.base import Cancelled, MakePicture, Question, estimate_failed
from ..engines.estimate import estimate
from ..reshoot import reshoot
from .pictures import Pictures
from .pipes import Pipes
from .telling import start as start_telling

log = logging.getLogger("inference_server.worker")

PROGRESS_SECONDS = 0.1  # between two words about one job


def main() -> None:
    """Do one order after the other."""
    pipes = Pipes()
    telling = start_telling(pipes)
    parser = argparse.ArgumentParser()
    parser.add_argument("--releases", type=Path, required=True)
    arguments = parser.parse_args()
    threading.Thread(
        target=_answer, args=(pipes, arguments.releases), name="recam-estimates", daemon=True
    ).start()
    pipes.say("ready")
    for file in pipes.orders():
        order = json.loads(Path(file).read_text())
        telling.at_work(order)
        try:
            result = _render(order, arguments.releases, pipes)
            result["remarks"] = [_as_named(remark, order) for remark in result["remarks"]]
            pipes.say("finished", job=order["job"], result=result)
        except Cancelled:
            pipes.say("cancelled", job=order["job"])
        except RecamError as error:
            log.info("the job failed: %s", error.code)  # its sentence may name the clip
            told = RecamError(error.code, _as_named(error.sentence, order), error.hint)
            _say_failed(pipes, order["job"], told)
        except MemoryError:
            log.exception("the job ran out of memory")
            _say_failed(
                pipes,
                order["job"],
                RecamError(
                    "out_of_memory",
                    f"The server ran out of memory on the clip {order['name']!r}.",
                    "Send a smaller picture or a shorter clip.",
                ),
            )
        except Exception:
            log.exception("the job failed")
            fault = RecamError(
                "engine_fault",
                f"The engine {order['engine']} made a mistake on the clip {order['name']!r}.",
                "The server's log has the details.",
            )
            _say_failed(pipes, order["job"], fault)
        else:
            continue
        finally:
            telling.idle()
        # What failed holds the frames that hold the pictures, often in a circle: let it go.
        gc.collect()


def _render(order: dict, releases: Path, pipes: Pipes) -> dict:
    last, did, pictures = 0.0, "", Pictures()

    def on_progress(
        step: int,
        steps: int,
        doing: str = "",
        remarks: Sequence[str] = (),
        picture: MakePicture | None = None,
    ) -> None:
        nonlocal last, did
        now, shown = time.monotonic(), pictures.of(picture)
        if now - last >= PROGRESS_SECONDS or step == steps or doing != did or remarks or shown:
            last, did = now, doing
            remarks = [_as_named(remark, order) for remark in remarks]
            far = {"step": step, "steps": steps, "doing": doing, "remarks": remarks}
            pipes.say("progress", job=order["job"], **far, picture=shown)

    return reshoot(
        [Path(clip) for clip in order["clips"]],
        shot_from_json(order["shot"]),
        Path(order["out"]),
        engine=order["engine"],
        releases=releases,
        first=order["first"],
        depth=order["depth"] and Path(order["depth"]),
        start=order["start"] and Path(order["start"]),
        audio=order["audio"],
        untagged_matrix=order["untagged_matrix"],
        settings=order["settings"],
        on_progress=on_progress,
        should_stop=pipes.stop.is_set,
    )


def _answer(pipes: Pipes, releases: Path) -> None:
    """Estimates, one after the other, beside the job at work."""
    for asked in pipes.questions():
        try:
            question = Question(**asked["question"] | {"rate": Fraction(asked["question"]["rate"])})
            told = {"estimate": estimate(asked["engine"], releases, question)}
        except RecamError as error:
            told = {"error": error_body(error)}
        except Exception:
            log.exception("a job could not be estimated")
            told = {"error": error_body(estimate_failed())}
        pipes.say("estimate", number=asked["number"], **told)


def _as_named(sentence: str, order: dict) -> str:
    """The sentence with the files called as their artist does: the store knows only hashes."""
    for number, clip in enumerate(order["clips"], 1):
        called = order["name"] if len(order["clips"]) == 1 else f"{order['name']}, part {number}"
        sentence = sentence.replace(Path(clip).name, called)
    for file, called in (("depth", "The depth file"), ("start", "The video to start from")):
        if order[file]:
            sentence = sentence.replace(Path(order[file]).name, called)
    out = Path(order["out"])
    return re.sub(rf"{re.escape(out.stem)}(-\d+)?{re.escape(out.suffix)}", "The result", sentence)


def _say_failed(pipes: Pipes, job: str, error: RecamError) -> None:
    pipes.say("failed", job=job, code=error.code, sentence=error.sentence, hint=error.hint)


if __name__ == "__main__":
    main()
