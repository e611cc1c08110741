"""Run by the front: ``python -m inference_server.worker --lane NAME --front PID …``."""

from __future__ import annotations

import argparse
import gc
import json
import logging
import threading
from fractions import Fraction
from pathlib import Path

from shared.errors import RecamError
from shared.protocol.messages import error_body

from ..engines.base import Cancelled, Question, estimate_failed
from ..engines.estimate import estimate
from . import device, ending
from .faults import error_of
from .pipes import Pipes
from .rendering import render
from .telling import start as start_telling

log = logging.getLogger("inference_server.worker")


def main() -> None:
    """Do one order after the other, until the front closes the pipe or memory ran out."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lane", required=True)
    parser.add_argument("--front", type=int, required=True)
    parser.add_argument("--releases", type=Path, required=True)
    arguments = parser.parse_args()
    ending.with_front(arguments.front)
    pipes = Pipes()
    telling = start_telling(pipes)
    device.follow(pipes)
    threading.Thread(
        target=_answer, args=(pipes, arguments.releases), name="recam-estimates", daemon=True
    ).start()
    pipes.say("ready")
    for file in pipes.orders():
        order = json.loads(Path(file).read_bytes())
        telling.at_work(order)
        try:
            pipes.say("finished", job=order["job"], result=render(order, arguments.releases, pipes))
        except Cancelled:
            pipes.say("cancelled", job=order["job"])
        except Exception as error:
            if _say_failed(pipes, order, error):
                return
        else:
            continue
        finally:
            telling.idle()
        # What failed holds the frames that hold the pictures, often in a circle: let it go.
        gc.collect()


def _say_failed(pipes: Pipes, order: dict, error: Exception) -> bool:
    """Whether this process is not to go on: memory that ran out leaves libraries half done."""
    told = error_of(error, order)
    if isinstance(error, RecamError):
        log.info("the job failed: %s", error.code)  # its sentence may name the clip
    else:
        log.exception("the job failed: %s", told.code)
    last = told.code == "out_of_memory"
    pipes.say("failed", job=order["job"], **error_body(told), last=last)
    return last


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


if __name__ == "__main__":
    main()
