"""Which release of a folder is meant by a name, or by none. No torch here."""

from __future__ import annotations

from pathlib import Path

from shared.errors import RecamError

from .layout import Release, releases_in

DEFAULT = "recammaster"  # what `recam weights install` calls the public release


def choose_release(releases: Path, name: str = "") -> Release:
    """The release of that name in the folder; for no name ``DEFAULT``, else the first by name.

    RecamError ``weights_missing`` tells which there are.
    """
    found = releases_in(releases)
    named = [release for release in found if release.name == (name or DEFAULT)]
    if named or (found and not name):
        return (named or found)[0]
    there = ", ".join(release.name for release in found) or "none"
    raise RecamError(
        "weights_missing",
        f"There is no release {name!r}." if name else "There are no complete weights.",
        f"Installed there: {there}. `recam weights install` fetches the public release.",
    )
