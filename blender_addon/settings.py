"""What the artist sets in the panel, kept in the scene."""

from __future__ import annotations

import bpy
import numpy as np
from bpy.props import EnumProperty, FloatProperty, PointerProperty

from .axes import trajectory_pose
from .shared.errors import RecamError

ENGINES = (
    ("auto", "Best available", "The best engine that the server can run"),
    ("recammaster", "ReCamMaster", "Re-render the clip with the video model; needs a GPU"),
    (
        "projection",
        "Projection",
        "Project the clip onto a plane: instant, exact for pans and tilts",
    ),
)


def _is_camera(settings, thing) -> bool:
    return thing.type == "CAMERA"


class RecamSettings(bpy.types.PropertyGroup):
    """Camera, subject and engine for the next take."""

    camera: PointerProperty(
        type=bpy.types.Object,
        poll=_is_camera,
        name="Camera",
        description="The camera to re-shoot with; empty for the scene's own, markers included",
    )
    subject: PointerProperty(
        type=bpy.types.Object,
        name="Subject",
        description="An object where the clip's subject stands; empty to give its distance",
    )
    subject_distance: FloatProperty(
        name="Distance",
        description="How far the subject is from the camera at the clip's first frame",
        default=4.0,
        min=0.01,
        soft_max=100.0,
        unit="LENGTH",
    )
    engine: EnumProperty(items=ENGINES, name="Engine", description="What renders the take")


def subject_metres(settings: RecamSettings, scene, first_pose: np.ndarray) -> float:
    """How far the subject is in front of the camera's first pose ``(4, 4)``, in metres.

    Raises RecamError ``subject_distance`` if the subject is behind it.
    """
    scale = scene.unit_settings.scale_length
    if settings.subject is None:
        return settings.subject_distance * scale
    place = trajectory_pose(settings.subject.matrix_world, scale)[:3, 3]
    metres = float((place - first_pose[:3, 3]) @ first_pose[:3, 2])
    if metres <= 0:
        raise RecamError(
            "subject_distance",
            f"“{settings.subject.name}” is behind the camera at the clip's first frame.",
            "Move it in front of the camera, or give a distance.",
        )
    return metres


def register() -> None:
    bpy.utils.register_class(RecamSettings)
    bpy.types.Scene.recam = PointerProperty(type=RecamSettings)


def unregister() -> None:
    del bpy.types.Scene.recam
    bpy.utils.unregister_class(RecamSettings)
