"""What the artist reads of a failed order: their own names, no path of the server's."""

from __future__ import annotations

from inference_server.worker.faults import as_named

ORDER = {
    "clips": ["/srv/clips/ab/" + "1" * 64, "/srv/clips/ab/" + "2" * 64],
    "name": "Bär.mov",
    "depth": "/srv/clips/ab/" + "3" * 64,
    "start": None,
    "out": "/srv/jobs/ef/take.mp4",
}


def test_files_are_called_as_the_artist_does_and_no_folder_is_told():
    for clip in (ORDER["clips"][1], "2" * 64):
        assert as_named(f"The file {clip} ends.", ORDER) == "The file Bär.mov, part 2 ends."
    assert as_named(f"{ORDER['depth']} is none.", ORDER) == "The depth file is none."
    assert (
        as_named("/srv/jobs/ef/take-2.mp4 cannot be read.", ORDER) == "The result cannot be read."
    )


def test_what_a_library_quotes_of_a_file_steers_no_terminal():
    assert as_named("Bad tag '\x1b[2J\0' found.", ORDER) == "Bad tag ' [2J ' found."
