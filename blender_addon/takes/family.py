"""Which strips are takes, and of which original: told by an id that both carry.

Blender gives strips no lasting id, so an original gets one when its first take is placed. The
two halves of a cut strip keep it, and so does a copy: of all that carry it, those belong together
that lie in the same part of the timeline.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

import bpy

from .. import versions
from ..clip.strips import ID, active_strip

SETTINGS = "recam"  # on a take: what made it, as JSON
OF = "recam_of"  # on a take: its original's ID
WIPE = "recam_wipe"  # on the strip that compares two of them


@dataclass(frozen=True)
class Family:
    """An original and its takes, each from the lowest channel up.

    originals: more than one where the original was cut; none once it is deleted.
    """

    originals: list[bpy.types.Strip]
    takes: list[bpy.types.Strip]

    @property
    def strips(self) -> list[bpy.types.Strip]:
        """All of them, the originals first."""
        return self.originals + self.takes


def is_take(strip: bpy.types.Strip | None) -> bool:
    """Whether Recam made the strip."""
    return strip is not None and SETTINGS in strip


def family_of(strip: bpy.types.Strip, scene: bpy.types.Scene) -> Family:
    """The strip's original and that one's takes, the strip itself among them."""
    key = strip.get(OF) or strip.get(ID)
    everything = list(versions.all_strips(scene.sequence_editor))
    originals = [s for s in everything if key and s.get(ID) == key]
    takes = [s for s in everything if key and s.get(OF) == key]
    together = [strip]
    for one in together:  # it grows until no further strip overlaps any of these
        together += [s for s in originals + takes if s not in together and overlap(s, one)]
    together.sort(key=lambda s: (s.channel, versions.first_frame(s)))
    return Family(
        originals=[s for s in together if s in originals],
        takes=[s for s in together if s in takes or (s not in originals and is_take(s))],
    )


def record_of(take: bpy.types.Strip) -> dict:
    """What made the take: job, engine, settings, report, clip, and more."""
    record = json.loads(take[SETTINGS])
    return record if isinstance(record, dict) else {}


def original_at(take: bpy.types.Strip, scene: bpy.types.Scene) -> bpy.types.Strip | None:
    """What the take was made of: its original, or the take that was re-shot itself.

    Of an original that was cut, the part at the current frame, else the longest. None once it is
    deleted, or moved to where the take is not.
    """
    family = family_of(take, scene)
    clip = record_of(take).get("clip")
    for other in family.takes:
        if other.name == clip and other != take:
            return other
    parts = family.originals
    here = [s for s in parts if first_and_end(s)[0] <= scene.frame_current < first_and_end(s)[1]]
    return max(here or parts, key=versions.duration, default=None)


def adopt(original: bpy.types.Strip, take: bpy.types.Strip, scene: bpy.types.Scene) -> None:
    """Let the take know its original.

    Of an original and its copy, both in the same part of the timeline, the one that the takes
    made before do not name gets an id of its own: they stay with the other.
    """
    if OF in original:  # a take that was itself re-shot: all of them are one family
        take[OF] = original[OF]
        return
    family = family_of(original, scene)
    twins = [s for s in family.originals if s != original and overlap(s, original)]
    named = any(record_of(take).get("clip") == original.name for take in family.takes)
    if ID not in original or (twins and not named):
        original[ID] = uuid.uuid4().hex
    else:
        for twin in twins:
            twin[ID] = uuid.uuid4().hex
    take[OF] = original[ID]


def chosen_strip(scene: bpy.types.Scene) -> bpy.types.Strip | None:
    """The active strip; where that compares two, the take."""
    strip = active_strip(scene)
    return strip.input_2 if strip is not None and WIPE in strip else strip


def to_reshoot(scene: bpy.types.Scene) -> bpy.types.Strip | None:
    """What “Re-shoot” means: the chosen strip; where that is a take, what it was made of."""
    strip = chosen_strip(scene)
    return original_at(strip, scene) or strip if is_take(strip) else strip


def first_and_end(strip: bpy.types.Strip) -> tuple[int, int]:
    """The strip's first frame, and the first one after it."""
    return versions.first_frame(strip), versions.end_frame(strip)


def overlap(one: bpy.types.Strip, other: bpy.types.Strip) -> bool:
    """Whether there is a frame in which both lie."""
    (a, b), (c, d) = first_and_end(one), first_and_end(other)
    return a < d and c < b
