"""``python -m inference_server.cli``, where the command ``recam`` is not on the path."""

import sys

from . import main

sys.exit(main())
