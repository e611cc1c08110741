"""What ``background.py`` lets the other Blender run: opens the file, calls the script's ``main``.

A plain file that knows nothing of the add-on, which is not there.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import traceback

import bpy


def tell(share: float) -> None:
    """Say how far the work is, 0 to 1."""
    _say(share=share)


def _say(**news) -> None:
    try:
        print(f"\nRECAM {json.dumps(news)}", flush=True)
    except OSError:  # the Blender that wanted it is gone
        os._exit(1)


def _main() -> int:
    work = json.loads(sys.argv[-1])
    if hasattr(os, "nice"):
        os.nice(5)
    try:
        bpy.ops.wm.open_mainfile(filepath=work["blend"], load_ui=False, use_scripts=False)
        runpy.run_path(work["script"])["main"](work["arguments"], tell)
    except Exception as error:
        traceback.print_exc()
        _say(error=str(error).strip().removeprefix("Error: ") or type(error).__name__)
        return 1
    return 0


if __name__ == "__main__":
    code = _main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # an orderly end may hang, in Blender 4.5
