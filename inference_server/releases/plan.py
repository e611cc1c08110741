"""What an install has to fetch: decided once by asking the hub, kept until the install is done."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from shared.errors import RecamError

from .catalogue import BASE_MODEL, SOURCES, Source
from .hub import RemoteFile, kept, look
from .incoming import PLAN

DOWNLOADS = "downloads"
MADE = "release"

# What is made of the fetched files, in the order in which it is made.
STEPS = ("transformer", "base", "tokenizer", "vae", "text_encoder")


@dataclass(frozen=True)
class Plan:
    """The files to fetch, by their place in the public layout, each at one commit of its repo.

    revisions: by repo, the branch, tag or commit that was asked for. with_base: whether Wan's own
    transformer is to be kept too.
    """

    revisions: dict[str, str]
    with_base: bool
    files: dict[str, RemoteFile]

    def of(self, step: str) -> dict[str, RemoteFile]:
        """The files that ``step`` needs, by place."""
        parts = {"transformer": ("camera", "config"), "base": ("transformer",)}.get(step, (step,))
        places = [source.place for source in (*SOURCES, BASE_MODEL) if source.part in parts]
        return {place: self.files[place] for place in places if place in self.files}

    def left(self, folder: Path) -> dict[str, tuple[int, int]]:
        """For each step that is not done in ``folder``: bytes of its files, and those fetched."""
        return {
            step: (
                sum(file.size for file in files.values()),
                sum(kept(file, folder / DOWNLOADS / place) for place, file in files.items()),
            )
            for step in STEPS
            if (files := self.of(step)) and not result(folder, step).exists()
        }

    def space(self, folder: Path) -> int:
        """Free bytes needed to go on: a file's download goes away once it is converted."""
        taken = most = 0
        for size, fetched in self.left(folder).values():
            most = max(most, taken + size - fetched + size)
            taken += size - fetched
        return most


def result(folder: Path, step: str) -> Path:
    """What ``step`` leaves in ``folder``, complete as soon as it is there."""
    return folder / MADE / ("tokenizer" if step == "tokenizer" else f"{step}.safetensors")


def make_plan(folder: Path, revisions: dict[str, str], with_base: bool) -> Plan:
    """What to fetch for the release that is made in ``folder``; the hub tells sizes and checksums.

    revisions: by the repo's name in ``catalogue``, for those that are not to be its ``main``.
    What an earlier try fetched or made of files that have changed since is thrown away; where the
    hub cannot be asked, the earlier try's plan stands. Raises RecamError ``hub_offline`` or
    ``hub_refused``.
    """
    begun = _read(folder / PLAN)
    sources = (*SOURCES, BASE_MODEL) if with_base else SOURCES
    try:
        plan = Plan(revisions, with_base, _look_at(sources, revisions))
    except RecamError as error:
        asked = begun and (begun.revisions, begun.with_base) == (revisions, with_base)
        if error.code == "hub_offline" and asked:
            return begun
        raise
    for step in STEPS if begun else ():
        old, new = begun.of(step), plan.of(step)
        if any(not _same(old[place], new.get(place)) for place in old):
            for path in (result(folder, step), *(folder / DOWNLOADS / place for place in old)):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    _write(plan, folder / PLAN)
    return plan


def with_base_model(plan: Plan, folder: Path) -> Plan:
    """``plan`` with Wan's own transformer among the files."""
    if BASE_MODEL.place in plan.files:
        return plan
    pinned = {file.repo: file.commit for file in plan.files.values()}
    files = plan.files | _look_at((BASE_MODEL,), pinned)
    plan = Plan(plan.revisions, plan.with_base, files)
    _write(plan, folder / PLAN)
    return plan


def by_hand() -> str:
    """What to fetch where there is no network, and what to do with it, in lines."""
    lines = [
        f"  https://huggingface.co/{source.repos[0]}/resolve/main/{source.path}\n"
        f"    as {source.place}"
        for source in SOURCES
        if source.needed
    ]
    return "\n".join(
        [
            "Without a network, fetch these files elsewhere, into one folder:",
            *lines,
            "then `recam weights add FOLDER`.",
        ]
    )


def _look_at(sources: tuple[Source, ...], revisions: dict[str, str]) -> dict[str, RemoteFile]:
    revisions, files = dict(revisions), {}
    for source in sources:
        repo = source.repos[0]
        file = look(source.repos, source.path, revisions.get(repo, "main"))
        if file:
            # The rest of a repo from the same commit, also while somebody changes it.
            revisions[repo] = file.commit
            files[source.place] = file
        elif source.needed:
            raise RecamError(
                "hub_refused",
                f"{repo} has no file {source.path} at {revisions.get(repo, 'main')}.",
                "Check the revision and HF_ENDPOINT.",
            )
    return files


def _same(one: RemoteFile, other: RemoteFile | None) -> bool:
    return other is not None and (one.size, one.etag) == (other.size, other.etag)


def _read(path: Path) -> Plan | None:
    if not path.is_file():
        return None
    plan = json.loads(path.read_text(encoding="utf-8"))
    files = {place: RemoteFile(**file) for place, file in plan["files"].items()}
    return Plan(plan["revisions"], plan["with_base"], files)


def _write(plan: Plan, path: Path) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(plan), indent=1), encoding="utf-8")
    fresh.replace(path)
