"""Which Python can make the server's environment. Knows no Blender."""

from __future__ import annotations

import glob
import json
import os
import shutil
import sys

OLDEST, NEWEST = (3, 11), (3, 14)  # for what lies between there are wheels of all it needs
# The best first: what the model's packages are used with most.
VERSIONS = ("3.12", "3.13", "3.11", "3.14")

# Run by a Python to show what it is; it fails where there is no venv or pip to be had. What one
# from Windows' store writes into the user's folders is laid elsewhere, where nobody finds it.
PROBE = """
import ensurepip, json, sys, venv
ensurepip.version()
wide, store = sys.maxsize > 2**32, "WindowsApps" in sys.base_prefix
print(json.dumps({"version": sys.version_info[:2], "wide": wide, "store": store}))
"""


def candidates() -> list[list[str]]:
    """Commands that may run a Python, the best first, Blender's own last.

    Blender's comes last since its environment breaks when that Blender is removed.
    """
    found = []
    if sys.platform == "win32":
        launcher = _program("py")
        found += [[launcher, f"-{version}"] for version in VERSIONS if launcher]
    else:
        # Blender started from a menu does not see what the shell's settings add to the path.
        path = os.pathsep.join([os.environ.get("PATH", ""), *_usual_folders()])
        names = [f"python{version}" for version in VERSIONS] + ["python3"]
        found += [[there] for name in names if (there := _program(name, path))]
    return [*found, [sys.executable]]


def probe(command: list[str]) -> list[str]:
    """What to run to learn whether the Python will do."""
    return [*command, "-I", "-c", PROBE]


def fits(output: list[str]) -> bool:
    """Whether what ``probe`` printed is of a Python that will do."""
    try:
        about = json.loads(output[-1])
        fit = about["wide"] and not about["store"]
        return fit and OLDEST <= tuple(about["version"]) <= NEWEST
    except (IndexError, ValueError, KeyError, TypeError):
        return False


def _program(name: str, path: str | None = None) -> str | None:
    """A program's path, unless it is one that lies where Blender happens to be: by a .blend."""
    found = shutil.which(name, path=path)
    return found if found and os.path.isabs(found) else None


def _usual_folders() -> list[str]:
    frameworks = "/Library/Frameworks/Python.framework/Versions/3.*/bin"
    return ["/usr/local/bin", "/usr/bin", "/opt/homebrew/bin", *sorted(glob.glob(frameworks))]
