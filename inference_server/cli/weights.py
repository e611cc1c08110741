"""``recam weights``: the model's files, fetched, taken in, listed and removed."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from shared.errors import RecamError

from ..releases.catalogue import BASE_MODEL, LICENCES, RECAMMASTER, WAN
from ..releases.choice import DEFAULT
from ..releases.incoming import check_name, check_space, held, holdings, incoming, size_words
from ..releases.layout import Release, default_releases, find_release, releases_in
from ..releases.shelf import Shelved, find, remove, shelf
from .packages import model_packages
from .terminal import Bars, confirmed

# torch and the hub's library load where a subcommand needs them: `list` answers at once.


def add_parsers(commands) -> None:
    """Add the subcommand and its own."""
    parser = commands.add_parser("weights", help="fetch, add, list and remove the model's weights")
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    action = _action(actions, "install", "fetch the public weights from the hub", run_install)
    action.add_argument("--name", default=DEFAULT, help=f"what to call them (default {DEFAULT})")
    action.add_argument("--yes", action="store_true", help="agree to sizes and licences")
    action.add_argument(
        "--revision", default="main", help="branch, tag or commit of ReCamMaster's repo"
    )
    action.add_argument("--wan-revision", default="main", help="the same of Wan2.1's repo")
    action.add_argument(
        "--with-base",
        action="store_true",
        help="keep Wan's own transformer too (for training; rendering needs it not)",
    )

    action = _action(actions, "add", "take in weights that you have", run_add)
    action.add_argument("path", type=Path, help="a release in any layout, or a checkpoint")
    action.add_argument("--name", help="what to call them (default: after the file)")
    action.add_argument(
        "--base", help="the release that a checkpoint goes with (default: the only one)"
    )

    _action(actions, "list", "list the weights that are there", run_list)

    action = _action(actions, "remove", "delete weights", run_remove)
    action.add_argument("name", help="as `recam weights list` tells it")
    action.add_argument("--yes", action="store_true", help="do not ask")


def _action(actions, name: str, words: str, run) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=words)
    action.add_argument("--releases", type=Path, default=default_releases(), help="their folder")
    action.set_defaults(run=run)
    return action


def run_install(options: argparse.Namespace) -> int:
    """Fetch, convert, check, put in place; or say what is kept and how to go on."""
    check_name(options.releases, options.name)
    folder = incoming(options.releases) / options.name
    with model_packages(), held(options.releases):
        try:
            release = _install(options, folder)
        except (RecamError, KeyboardInterrupt) as error:
            stopped = isinstance(error, KeyboardInterrupt)
            print(f"recam: {'stopped.' if stopped else error}", file=sys.stderr)
            _say_what_is_kept(folder)
            return 130 if stopped else 1
        finally:
            if folder.is_dir() and not holdings(folder):
                shutil.rmtree(folder)
    if release is None:
        print("Nothing was fetched.", file=sys.stderr)
        return 1
    _say_done(release)
    return 0


def _install(options: argparse.Namespace, folder: Path) -> Release | None:
    """The installed release; None if nobody agreed."""
    from ..releases.plan import by_hand, make_plan

    check_name(options.releases, options.name)  # which another may just have taken
    revisions = {RECAMMASTER[0]: options.revision, WAN: options.wan_revision}
    try:
        plan = make_plan(folder, revisions, options.with_base)
    except RecamError as error:
        if error.code == "hub_offline":
            error.hint = f"{error.hint}\n{by_hand()}"
        raise
    if not _agreed(plan, folder, options):
        return None
    check_space(options.releases, plan.space(folder))
    from ..releases.install import install  # and with it torch, which takes a while

    with Bars() as bars:
        return install(plan, folder, options.releases / options.name, bars.show)


def run_add(options: argparse.Namespace) -> int:
    """Check, convert and name weights from this machine."""
    with model_packages():
        from ..releases.add import add, add_checkpoint, is_checkpoint
    path = options.path.resolve()
    name = options.name or (path.stem if path.is_file() else path.name)
    check_name(options.releases, name)
    try:
        with held(options.releases), Bars() as bars:
            if is_checkpoint(path):
                release = add_checkpoint(path, _base(options), options.releases, name, bars.show)
            else:
                release = add(find_release(path), options.releases, name, bars.show)
    except KeyboardInterrupt:
        print(f"recam: stopped. Nothing was added, and {path} is as it was.", file=sys.stderr)
        return 130
    _say_done(release)
    return 0


def run_list(options: argparse.Namespace) -> int:
    """A few lines for each release."""
    found = shelf(options.releases)
    for shelved in found:
        print("\n  ".join(_lines(shelved)))
    if not found:
        print(f"No weights in {options.releases}. `recam weights install` fetches them.")
    return 0


def run_remove(options: argparse.Namespace) -> int:
    """Delete a release, or what is left of an unfinished install."""
    with held(options.releases):
        shelved = find(options.releases, options.name)
        own = size_words(shelved.size - shelved.shared)
        if not confirmed(f"Delete {shelved.path} ({own})?", options.yes):
            print("Nothing was deleted.", file=sys.stderr)
            return 1
        remove(options.releases, shelved)
    print(f"{shelved.name} is deleted; {own} are free again.")
    return 0


def _agreed(plan, folder: Path, options: argparse.Namespace) -> bool:
    sizes = plan.left(folder).values()
    fetched, total = sum(there for _, there in sizes), sum(size for size, _ in sizes)
    if have := holdings(folder):
        print(f"An earlier try left {size_words(have)}; this one goes on from there.")
    print(
        f"To fetch: {size_words(total - fetched)}, from {', '.join(_repos(plan))}.\n"
        f"Free space needed in {options.releases}: {size_words(plan.space(folder))}."
    )
    if BASE_MODEL.place not in plan.files:
        print(
            f"Not fetched: Wan's own transformer ({BASE_MODEL.path}); the ReCamMaster checkpoint "
            "holds all of it. --with-base fetches it too."
        )
    print("Licences:", *(f"{what}: {licence}" for what, licence in LICENCES.items()), sep="\n  ")
    return confirmed("Do you agree, and shall Recam go on?", options.yes)


def _repos(plan) -> list[str]:
    return sorted({f"{file.repo} at {file.commit[:8]}" for file in plan.files.values()})


def _base(options: argparse.Namespace) -> Release:
    releases = {release.name: release for release in releases_in(options.releases)}
    if options.base in releases:
        return releases[options.base]
    if options.base is None and len(releases) == 1:
        return next(iter(releases.values()))
    raise RecamError(
        "weights_base",
        f"{options.path} is a transformer alone: it needs the VAE, text encoder and tokenizer of "
        f"a release, and {options.base or 'which one'} is not "
        f"{'there' if options.base else 'said'}.",
        f"Say --base with one of: {', '.join(releases)}."
        if releases
        else "`recam weights install` fetches one.",
    )


def _say_what_is_kept(folder: Path) -> None:
    if folder.is_dir() and (kept := holdings(folder)):
        print(
            f"{size_words(kept)} are kept in {folder}; the same command goes on from there, "
            f"`recam weights remove {folder.name}` deletes them.",
            file=sys.stderr,
        )


def _say_done(release: Release) -> None:
    size = size_words(sum(file.stat().st_size for file in release.path.rglob("*")))
    print(f"{release.name} is in place, checked and complete: {size} in {release.path}.")


def _lines(shelved: Shelved) -> list[str]:
    size = size_words(shelved.size)
    if shelved.shared:
        size += f", {size_words(shelved.shared)} of it shared with other releases"
    if not shelved.layout:
        return [
            f"{shelved.name}: an unfinished install, {size}",
            str(shelved.path),
            f"`recam weights install --name {shelved.name}` goes on.",
        ]
    if shelved.missing:
        return [f"{shelved.name}: incomplete, {size}", str(shelved.path)] + [
            f"lacks {missing}" for missing in shelved.missing
        ]
    return [
        f"{shelved.name}: complete, layout {shelved.layout}, {size}",
        str(shelved.path),
        *([", ".join(shelved.dtypes)] if shelved.dtypes else []),
        *(f"from {source}" for source in shelved.sources),
    ]
