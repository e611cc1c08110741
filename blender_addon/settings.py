"""What the artist sets in the panel, kept in the scene."""

from __future__ import annotations

import bpy
import numpy as np
from bpy.props import EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from .camera.rig import follow, show_screen
from .shared.engines import ENGINES
from .shared.errors import RecamError
from .shared.takes import MOST_TAKES
from .translations import CONTEXT

ENGINE_ITEMS = (
    ("auto", "Best Available", "The best engine that the server can run"),
    *((name, title, sentence.rstrip(".")) for name, title, sentence in ENGINES),
)
QUALITY_ITEMS = (
    ("exact", "Exact", "Every step in full"),
    ("fast", "Fast", "With short cuts that show a little"),
)
FRAMING_ITEMS = (
    ("fit", "Fit", "The model sees the whole frame"),
    ("fill", "Fill", "The model sees the frame's middle, larger; a blur surrounds it in the take"),
    ("crop", "Crop", "The model sees the frame's middle, larger; the take is that middle"),
)
LENS_ITEMS = (
    ("refuse", "Refuse", "A lens that shows more than the clip's is an error"),
    ("outpaint", "Step Back", "The model's camera steps back instead, until it shows as much"),
)
# Those of the model, as the server calls them.
MODEL_SETTINGS = ("prompt", "takes", "seed", "quality", "framing", "lens", "every")


def _is_camera(settings, thing) -> bool:
    return thing.type == "CAMERA"


def _follow(settings, context) -> None:
    follow(settings.id_data)


def _stand_in(settings, context) -> None:
    follow(settings.id_data)
    show_screen(settings.id_data)


class RecamSettings(bpy.types.PropertyGroup):
    """Camera, subject and engine for the next take."""

    camera: PointerProperty(
        type=bpy.types.Object,
        poll=_is_camera,
        name="Camera",
        description="The camera to re-shoot with; empty for the scene's own, markers included",
    )
    source_camera: PointerProperty(
        type=bpy.types.Object,
        poll=_is_camera,
        name="Source",
        description="The camera that shot the clip, standing or moving; empty if it is not known: "
        "it is then taken to stand where the camera is at the clip's first frame",
        update=_follow,
    )
    subject: PointerProperty(
        type=bpy.types.Object,
        update=_follow,
        name="Subject",
        description="An object where the clip's subject stands; empty to give its distance",
    )
    subject_distance: FloatProperty(
        name="Distance",
        description="How far the subject is from the source camera at the clip's first frame",
        default=4.0,
        min=0.01,
        soft_max=100.0,
        unit="LENGTH",
        update=_follow,
    )
    geometry: PointerProperty(
        type=bpy.types.Collection,
        name="Geometry",
        description="Your own meshes of what the clip shows (ground, walls, a figure card) instead "
        "of the plane; their depth is sent with the clip",
        update=_stand_in,
    )
    rig: PointerProperty(type=bpy.types.Collection, options={"HIDDEN"})
    engine: EnumProperty(items=ENGINE_ITEMS, name="Engine", description="What renders the take")
    prompt: StringProperty(
        name="Prompt",
        description="What the take shows, in a few sentences; the model follows a detailed "
        "description of the clip best",
        maxlen=4000,
    )
    takes: IntProperty(
        name="Takes",
        description="How many takes to make, each from other noise",
        default=1,
        min=1,
        max=MOST_TAKES,
    )
    seed: IntProperty(
        name="Seed",
        description="Which noise the first take begins with; the same seed gives the same take",
        min=0,
    )
    quality: EnumProperty(
        items=QUALITY_ITEMS,
        name="Quality",
        description="How the model takes its steps",
        translation_context=CONTEXT,
    )
    framing: EnumProperty(
        items=FRAMING_ITEMS,
        name="Framing",
        description="How the clip's frame meets the model's",
        translation_context=CONTEXT,
    )
    lens: EnumProperty(
        items=LENS_ITEMS, name="Wider Lens", description="What becomes of a lens below the clip's"
    )
    every: IntProperty(
        name="Every",
        description="Render every n-th frame and interpolate the others; the model was trained "
        "on 15 frames a second",
        default=1,
        min=1,
        max=8,
    )
    handles: IntProperty(
        name="Handles",
        translation_context=CONTEXT,
        description="Extra frames at both ends of the take, for later trims",
        min=0,
        soft_max=48,
    )


def model_settings(settings: RecamSettings) -> dict:
    """What the job asks of the model: what differs from the defaults, nothing of a projection."""
    if settings.engine == "projection":
        return {}
    values = {name: getattr(settings, name) for name in MODEL_SETTINGS}
    rna = settings.bl_rna.properties
    return {name: value for name, value in values.items() if value != rna[name].default}


def subject_metres(
    settings: RecamSettings, scene, first_pose: np.ndarray, place: np.ndarray | None
) -> float:
    """How far the subject is in front of the source camera's first pose ``(4, 4)``, in metres.

    place: ``(3,)`` in metres, where the subject is then; None where a distance is given instead.
    Raises RecamError ``subject_distance`` if the subject is behind the camera.
    """
    if place is None:
        return settings.subject_distance * scene.unit_settings.scale_length
    metres = float((place - first_pose[:3, 3]) @ first_pose[:3, 2])
    if metres <= 0:
        raise RecamError(
            "subject_distance",
            "The subject is behind the source camera at the clip's first frame.",
            "Move it in front of the camera, or give a distance.",
        )
    return metres


def register() -> None:
    bpy.utils.register_class(RecamSettings)
    bpy.types.Scene.recam = PointerProperty(type=RecamSettings)


def unregister() -> None:
    del bpy.types.Scene.recam
    bpy.utils.unregister_class(RecamSettings)
