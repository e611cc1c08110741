"""Programs beside Blender: run without a window, followed, ended. Knows no Blender."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

# Of Blender's Python and its shell; another Python must not take them for its own.
FOREIGN = ("PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE", "PYTHONSTARTUP", "VIRTUAL_ENV")


def clean_environment() -> dict[str, str]:
    """This process's variables (proxies, pip's settings, …) without those of Blender's Python."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    # PIP_USER: an environment has no user's packages, though pip's settings may ask for them.
    return kept | {
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "PIP_USER": "0",
    }


def spawn(command: list[str], log: Path, *, anew: bool = True) -> subprocess.Popen:
    """Run a command in a group of its own, without a window; its output goes to ``log``.

    anew: whether the log begins with it. Raises OSError.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb" if anew else "ab") as out:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=log.parent,  # and not where Blender happens to be: -m looks there first
            env=clean_environment(),
            **_apart(),
        )


def kill_tree(process: subprocess.Popen) -> None:
    """End a process that ``spawn`` made, and those it made, at once."""
    if process.poll() is not None:
        return
    if sys.platform == "win32":
        # By its path: a bare name is looked for in the current folder, too.
        taskkill = os.path.join(os.environ["SYSTEMROOT"], "System32", "taskkill.exe")
        command = [taskkill, "/T", "/F", "/PID", str(process.pid)]
        subprocess.run(command, capture_output=True, creationflags=subprocess.CREATE_NO_WINDOW)
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def end(pid: int) -> None:
    """Ask a process to end. Windows has no way to ask one without a window: it is ended there.

    The server's journal is made for that: it goes on from there when it is started again.
    """
    _signal(pid, signal.SIGTERM)


def kill(pid: int) -> None:
    """End a process at once."""
    _signal(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)


def birth(pid: int) -> str | None:
    """When the process began, in the system's own words; None if there is none of that number.

    A number alone is given to another process soon enough.
    """
    if sys.platform == "win32":
        return _birth_on_windows(pid)
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return None
        state, *fields = stat.rpartition(")")[2].split()
        return None if state in "ZX" else fields[18]
    return _birth_by_ps(pid)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):  # it has just ended by itself
        os.kill(pid, number)


def _apart() -> dict:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _birth_by_ps(pid: int) -> str | None:
    command = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    # Dates in the same words for every Blender, wherever on earth.
    environment = os.environ | {"LC_ALL": "C", "TZ": "UTC"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    state, _, began = done.stdout.strip().partition(" ")
    return None if state.startswith("Z") else began.strip() or None


def _birth_on_windows(pid: int) -> str | None:
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32")
    kernel.OpenProcess.restype = wintypes.HANDLE
    handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return None
    handle = wintypes.HANDLE(handle)
    code, times = wintypes.DWORD(), [wintypes.FILETIME() for _ in range(4)]
    known = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    known = known and kernel.GetProcessTimes(handle, *map(ctypes.byref, times))
    kernel.CloseHandle(handle)
    if not known or code.value != 259:  # STILL_ACTIVE
        return None
    return str(times[0].dwHighDateTime << 32 | times[0].dwLowDateTime)
