"""Recam broken on purpose, and what held. ``python -m tests.stress [SECTION…] [--short]``."""

import sys
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1]
for _folder in (_TESTS, _TESTS / "shared/client", _TESTS / "inference_server/front"):
    if str(_folder) not in sys.path:  # where pytest finds the helpers that tests share
        sys.path.append(str(_folder))
