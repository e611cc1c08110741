"""Comparing and approving: which one of an original and its takes is shown."""

from __future__ import annotations

from math import radians

import bpy

from .. import versions
from ..clip.strips import siblings
from ..shared.errors import RecamError
from .channels import free_channel
from .family import WIPE, Family, family_of, first_and_end, overlap

APPROVED = "recam_approved"  # on a take: the colour tag that it had before
APPROVED_TAG = "COLOR_04"  # green


def shown_take(family: Family) -> bpy.types.Strip | None:
    """The topmost take that is not muted."""
    return next((take for take in reversed(family.takes) if not take.mute), None)


def show(strip: bpy.types.Strip, scene: bpy.types.Scene) -> None:
    """Show the strip instead of what else of its family lies in its frames.

    The parts of a cut original count as one; one that no take covers then is shown as well.
    """
    family = family_of(strip, scene)
    end_wipe(family, scene)
    together = family.originals if strip in family.originals else [strip]
    for other in family.strips:
        if other in together:
            other.mute = False
        elif any(overlap(other, one) for one in together):
            other.mute = True
    for part in family.originals:
        if not any(overlap(take, part) for take in family.takes if not take.mute):
            part.mute = False


def toggle(strip: bpy.types.Strip, scene: bpy.types.Scene) -> bpy.types.Strip:
    """Show the original where a take is shown, else a take; what is shown now.

    The take is the strip itself, else the approved one, else the topmost.
    Raises RecamError ``take_original``, ``take_none``.
    """
    family = family_of(strip, scene)
    _check_both(family, strip)
    if shown_take(family) is not None:
        show(family.originals[0], scene)
        return family.originals[0]
    take = strip if strip in family.takes else _best(family)
    show(take, scene)
    return take


def show_next(strip: bpy.types.Strip, scene: bpy.types.Scene) -> bpy.types.Strip:
    """Show the next of original and takes, from the lowest up and round; what is shown now.

    Raises RecamError ``take_none``.
    """
    family = family_of(strip, scene)
    if not family.takes:
        raise _none(strip)
    circle = [*family.originals[:1], *family.takes]
    shown = shown_take(family)
    following = circle[(circle.index(shown) + 1) % len(circle)] if shown else family.takes[0]
    show(following, scene)
    return following


def approve(take: bpy.types.Strip, scene: bpy.types.Scene) -> None:
    """Mark the take as the one that counts, show it, and mute the rest of its family."""
    for other in family_of(take, scene).takes:
        if other != take and overlap(other, take):
            unapprove(other)
    if APPROVED not in take:
        take[APPROVED] = take.color_tag
    take.color_tag = APPROVED_TAG
    show(take, scene)


def unapprove(take: bpy.types.Strip) -> None:
    """Take the mark away; what is shown stays."""
    if APPROVED in take:
        take.color_tag = take[APPROVED]
        del take[APPROVED]


def wipe_of(family: Family, scene: bpy.types.Scene) -> bpy.types.Strip | None:
    """The strip that compares two of the family side by side, if there is one."""
    for strip in versions.all_strips(scene.sequence_editor):
        if WIPE in strip and (strip.input_1 in family.strips or strip.input_2 in family.strips):
            return strip
    return None


def begin_wipe(strip: bpy.types.Strip, scene: bpy.types.Scene) -> bpy.types.Strip:
    """Lay a wipe from the original to the take over both; the new strip.

    ``effect_fader`` moves it: 0 shows the original, 1 the take. Nothing else changes.
    Raises RecamError ``take_original``, ``take_none``, ``take_channels``.
    """
    family = family_of(strip, scene)
    _check_both(family, strip)
    take = strip if strip in family.takes else shown_take(family) or _best(family)
    original = max(family.originals, key=lambda s: len(_common(s, take)))
    frames = _common(original, take)
    if not frames:
        raise original_gone(take)
    active = scene.sequence_editor.active_strip
    top = max(s.channel for s in family.strips)
    holder = take.parent_meta() or scene.sequence_editor
    channel = free_channel(holder, top, frames.start, frames.stop)
    wipe = versions.new_effect(
        siblings(take), f"{take.name} wipe", "WIPE", channel, frames, original, take
    )
    wipe[WIPE] = True
    wipe.blend_type = "REPLACE"
    wipe.use_default_fade = False
    wipe.effect_fader = 0.5
    wipe.angle = radians(90)  # from side to side
    scene.sequence_editor.active_strip = active
    return wipe


def end_wipe(family: Family, scene: bpy.types.Scene) -> bool:
    """Remove the wipe over these strips; whether there was one."""
    wipe = wipe_of(family, scene)
    if wipe is None:
        return False
    siblings(wipe).remove(wipe)
    return True


def _common(one: bpy.types.Strip, other: bpy.types.Strip) -> range:
    (a, b), (c, d) = first_and_end(one), first_and_end(other)
    return range(max(a, c), min(b, d))


def _best(family: Family) -> bpy.types.Strip:
    return next((take for take in family.takes if APPROVED in take), family.takes[-1])


def _check_both(family: Family, strip: bpy.types.Strip) -> None:
    if not family.takes:
        raise _none(strip)
    if not family.originals:
        raise original_gone(strip)


def _none(strip: bpy.types.Strip) -> RecamError:
    return RecamError("take_none", f"“{strip.name}” has no takes here.", "Re-shoot it first.")


def original_gone(take: bpy.types.Strip) -> RecamError:
    """The error for a take whose original is deleted or lies elsewhere."""
    return RecamError(
        "take_original",
        f"The original of “{take.name}” is not below it any more.",
        "Undo its removal, or move it back below the take.",
    )
