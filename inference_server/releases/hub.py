"""One file from the hub: what it should be, and its bytes, resumed where they broke off.

huggingface_hub gives endpoint, mirrors, proxies, tokens and headers. It does not resume: since 2.0
a broken download starts anew, which 11 GB cannot afford.
"""

from __future__ import annotations

import errno
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,  # of whichever HTTP library this huggingface_hub is built on
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

from shared.errors import RecamError

CHUNK = 1 << 20  # bytes that an abrupt end can cost
TRIES = 4  # in a row, without a byte gained
WAIT = 1.0  # seconds before the second try; doubled for each further one


@dataclass(frozen=True)
class RemoteFile:
    """A file at one commit of a repo on the hub.

    size: bytes. etag: SHA-256 of the content for large files, git's SHA-1 for small ones.
    """

    repo: str
    path: str
    commit: str
    size: int
    etag: str

    @property
    def url(self) -> str:
        """Where the file is, for a person too."""
        return hf_hub_url(self.repo, self.path, revision=self.commit)


def look(repos: tuple[str, ...], path: str, revision: str) -> RemoteFile | None:
    """What the hub says of ``path``; None where the repo has no such file.

    repos: names of one repo, tried in turn. Raises RecamError ``hub_offline`` or ``hub_refused``.
    """
    for repo in repos:
        url = hf_hub_url(repo, path, revision=revision)
        try:
            found = get_hf_file_metadata(url)
        except RemoteEntryNotFoundError:
            return None
        except RepositoryNotFoundError as error:
            if repo == repos[-1] or isinstance(error, GatedRepoError):
                raise _refused(repo, path, error) from error
            continue
        except (HTTPError, OSError) as error:
            raise _trouble(repo, path, error) from error
        if found.size is None or not found.etag:
            raise RecamError(
                "hub_refused",
                f"{constants.ENDPOINT} does not say how long {repo}/{path} is: it is no hub.",
                "Correct HF_ENDPOINT, or unset it.",
            )
        return RemoteFile(repo, path, found.commit_hash or revision, found.size, found.etag)


def partial(file: RemoteFile, target: Path) -> Path:
    """The file in which the bytes of an unfinished download wait beside ``target``."""
    return target.with_name(f"{target.name}.{file.etag[:16]}.part")


def kept(file: RemoteFile, target: Path) -> int:
    """Bytes of ``file`` that need not be fetched again."""
    if target.is_file():
        return file.size
    part = partial(file, target)
    return min(part.stat().st_size, file.size) if part.is_file() else 0


def fetch(file: RemoteFile, target: Path, on_bytes: Callable[[int], None]) -> None:
    """Fetch ``file`` to ``target``, which appears only when it is whole and its sum is right.

    on_bytes is told of each number of bytes that arrive (negative where some are given up).
    What an earlier try left is taken up. Raises RecamError ``hub_offline``, ``hub_refused``,
    ``weights_broken`` or ``disk_full``, each of which a second call may follow.
    """
    if target.is_file():
        return
    part = partial(file, target)
    part.parent.mkdir(parents=True, exist_ok=True)
    fruitless = 0
    while (before := kept(file, target)) < file.size:
        try:
            _append(file, part, on_bytes)
        except (HTTPError, OSError) as error:
            fruitless = 0 if kept(file, target) > before else fruitless + 1
            if fruitless == TRIES or not _may_pass(error):
                raise _trouble(file.repo, file.path, error, part) from error
            time.sleep(WAIT * 2 ** max(fruitless - 1, 0))
    try:
        check_sum(file, part)
    except RecamError:
        part.unlink()
        raise
    part.replace(target)


def check_sum(file: RemoteFile, path: Path) -> None:
    """RecamError ``weights_broken`` unless the content of ``path`` is what the hub has named."""
    if path.stat().st_size != file.size:
        raise RecamError(
            "weights_broken",
            f"{file.repo}/{file.path} has {path.stat().st_size} bytes, not {file.size} as the hub "
            "says.",
            "Run the command again; it fetches this file anew.",
        )
    if len(file.etag) == 64:
        digest = hashlib.sha256()
    elif len(file.etag) == 40:
        digest = hashlib.sha1(b"blob %d\0" % file.size)
    else:  # a mirror's own mark, which says nothing about the content
        return
    with path.open("rb") as content:
        while block := content.read(CHUNK):
            digest.update(block)
    if digest.hexdigest() != file.etag:
        raise RecamError(
            "weights_broken",
            f"{file.repo}/{file.path} arrived with a wrong content: its checksum is "
            f"{digest.hexdigest()}, and {file.etag} is what the hub names.",
            "Run the command again; it fetches this file anew. If that helps nothing, the mirror "
            "or a proxy changes the file.",
        )


def _append(file: RemoteFile, part: Path, on_bytes: Callable[[int], None]) -> None:
    """Go on with ``part`` until the server's answer ends."""
    with part.open("ab") as content:
        have = content.tell()
        headers = build_hf_headers() | {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
        with get_session().stream("GET", file.url, headers=headers, timeout=timeout) as answer:
            if answer.status_code != 416:
                hf_raise_for_status(answer)
                if have and answer.status_code == 200:  # it knows no ranges: from the start
                    content.truncate(0)
                    on_bytes(-have)
                for block in answer.iter_bytes(CHUNK):
                    content.write(block)
                    on_bytes(len(block))
    if (have := part.stat().st_size) != file.size:
        if have > file.size:
            part.unlink()
        raise RecamError(
            "weights_broken",
            f"{file.url} ended after {have} of {file.size} bytes: the hub holds a truncated or "
            "wrong file.",
            "Try again later, or another mirror (HF_ENDPOINT).",
        )


def _may_pass(error: Exception) -> bool:
    """Whether another try may help: the line broke, or the server is overloaded."""
    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in (408, 429) or error.response.status_code >= 500
    return isinstance(error, HTTPError)


def _trouble(repo: str, path: str, error: Exception, part: Path | None = None) -> RecamError:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RecamError(
            "disk_full",
            f"The disk is full: {repo}/{path} does not fit.",
            f"Free some space, then run the command again; {part.parent} keeps what has arrived.",
        )
    if isinstance(error, HfHubHTTPError) and not _may_pass(error):
        return _refused(repo, path, error)
    if isinstance(error, HTTPError | OfflineModeIsEnabled):
        why = "HF_HUB_OFFLINE is set" if isinstance(error, OfflineModeIsEnabled) else error
        return RecamError(
            "hub_offline",
            f"{repo}/{path} could not be fetched from {constants.ENDPOINT} ({why}).",
            "Check the network, or name a mirror in HF_ENDPOINT, then run the command again.",
        )
    return RecamError("hub_refused", f"{repo}/{path} could not be fetched ({error}).")


def _refused(repo: str, path: str, error: Exception) -> RecamError:
    if isinstance(error, RevisionNotFoundError):
        why = "has no such revision"
    elif isinstance(error, GatedRepoError):
        why = "asks you to accept its terms first (log in with `hf auth login`)"
    elif isinstance(error, RepositoryNotFoundError):
        why = "is not there, or is not open to you"
    else:
        why = f"answers {error.response.status_code}"
    return RecamError(
        "hub_refused",
        f"{constants.ENDPOINT}/{repo} {why}; {path} cannot be fetched.",
        "Check --revision and HF_ENDPOINT; files fetched by hand go in with `recam weights add`.",
    )
