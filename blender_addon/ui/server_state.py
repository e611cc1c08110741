"""How the server is and what is being done to it, in a panel or in the preferences."""

from __future__ import annotations

from ..consent import is_this_machine
from ..local_server import current, places, server
from ..local_server.watch import Seen
from ..preferences import address, preferences
from ..shared.engines import ENGINES
from ..translations import words
from .paragraph import paragraph

CLOSE = 25  # pixels at scale 1 of the cross that closes a message
TITLES = {name: title for name, title, _ in ENGINES}


def draw_state(layout, width: float) -> None:
    """A line that says whether the server answers and what it can do."""
    current.show()
    text, icon = state_words(current.watch.seen)
    paragraph(layout, text, icon, width)


def draw_task(layout, context, width: float) -> None:
    """The task under way with its progress, or how the last one ended."""
    task = current.task
    if task is None or (task.quiet and not task.running and not task.error):
        return
    if task.running:
        row = layout.row(align=True)
        row.progress(factor=task.stand.share or 0.0, text=_said(task), translate=False)
        row.operator("recam.cancel_task", text="", icon="CANCEL")
        return
    row = layout.row()
    column = row.column()
    width -= CLOSE * context.preferences.system.ui_scale
    if task.error:
        paragraph(column, task.error.sentence, "ERROR", width)
        paragraph(column, task.error.hint, "BLANK1", width)
    else:
        paragraph(column, _said(task), "INFO", width)
    row.operator("recam.cancel_task", text="", icon="X", emboss=False)


def _said(task) -> str:
    """How far a task is, or how it ended; what stands behind a colon is a file's name."""
    said, colon, name = task.stand.words.partition(": ")
    return f"{words(said)}{colon}{name}"


def draw_buttons(layout) -> None:
    """Install, start or stop, whichever is next."""
    here = is_this_machine(address())
    seen = current.watch.seen
    if server.runs():
        layout.operator("recam.stop_server", icon="PAUSE")
    elif here and (seen is None or seen.error):
        if places.installed() or preferences().recam_command:
            layout.operator("recam.start_server", icon="PLAY")
        else:
            layout.operator("recam.install_server", icon="IMPORT", text="Install Local Server…")


def state_words(seen: Seen | None) -> tuple[str, str]:
    """What a look found, in a sentence, and the icon for it."""
    if seen is None:
        return words("Looking for a server at {address} …", address=address()), "SORTTIME"
    if seen.error:
        if seen.error.code in ("server_unreachable", "server_silent"):
            return words("No server answers at {address}.", address=seen.address), "CANCEL"
        return str(seen.error), "ERROR"
    if seen.trouble:
        return seen.trouble, "ERROR"
    called = seen.server.capitalize()
    if not seen.engines:
        text = words("{server} answers; its engines are not ready yet.", server=called)
        return text, "SORTTIME"
    able = ", ".join(title(each) for each in seen.engines if each["can_run"])
    able = able or words("no engine can run")
    text = words("{server} is ready: {engines}.", server=called, engines=able)
    if seen.jobs:
        text += " " + words("Jobs under way: {count}.", count=seen.jobs)
    return text, "CHECKMARK"


def title(engine: dict) -> str:
    """What an engine is called, by what the server says of it."""
    return engine_title(engine["name"])


def engine_title(name: str) -> str:
    """What the engine of that name is called; one that is not known, by its name."""
    return words(TITLES[name]) if name in TITLES else name
