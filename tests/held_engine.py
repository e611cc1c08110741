"""A copy of the code whose jobs are held at work until they are let go, by either engine's name.

Both engines are the projection; a job with the prompt "hold" waits before its first frame.
"""

from __future__ import annotations

from pathlib import Path

from slow_engine import copy_code

ENGINE = """

from pathlib import Path


class Held(ProjectionEngine):
    settings = ProjectionEngine.settings | {"prompt"}

    def render(self, clip, source, path, settings, on_progress, should_stop):
        import time

        if settings.pop("prompt", "") == "hold":
            on_progress(0, 0, "holding")
            while not Path(__file__).with_name("go").exists():
                if should_stop():
                    raise Cancelled
                time.sleep(0.02)
        yield from super().render(clip, source, path, settings, on_progress, should_stop)


ProjectionEngine = Held
"""
BOTH = """

def engine_statuses(releases):
    return [EngineStatus(name, "", True, "") for name in ENGINES]


_load = load


def load(name, releases):
    return _load("projection", releases)
"""
ESTIMATE = """

_estimate = estimate


def estimate(engine, releases, question):
    return _estimate("projection", releases, question)
"""


class HeldCode:
    """The copy in ``folder``, to start a server from."""

    def __init__(self, folder: Path) -> None:
        self.folder = copy_code(folder)
        engines = folder / "inference_server/engines"
        self._go = engines / "projection/go"
        self.append("projection/engine.py", ENGINE)
        self.append("registry.py", BOTH)
        self.append("estimate.py", ESTIMATE)

    def append(self, file: str, code: str) -> None:
        """Add to one of the engines' files."""
        with (self.folder / "inference_server/engines" / file).open("a") as end:
            end.write(code)

    def let_go(self) -> None:
        """Whatever is held goes on, and nothing is held any more."""
        self._go.touch()
