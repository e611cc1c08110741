"""The packages that the model needs, and projection does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import RecamError


@contextmanager
def model_packages() -> Iterator[None]:
    """Around imports of them: RecamError ``packages_missing`` where one is not installed."""
    try:
        yield
    except ImportError as error:
        raise RecamError(
            "packages_missing",
            f"{error.name} is not installed, which the model needs.",
            "Install it with: pip install '.[model]' in Recam's folder.",
        ) from None
