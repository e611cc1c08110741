"""Every difference between Blender versions, and nothing else."""

from __future__ import annotations


def sequencer_scene(context):
    """The scene whose strips the sequencer shows; None where there is none."""
    if hasattr(context, "sequencer_scene"):  # 5.0: may differ from the window's scene
        return context.sequencer_scene
    return context.scene


def show_in_sequencer(context, scene) -> None:
    """Let the sequencer show this scene's strips, as 5.0 wants to be told."""
    if hasattr(context.workspace, "sequencer_scene"):
        context.workspace.sequencer_scene = scene


def set_file_format(image_settings, file_format: str) -> None:
    """Set ``FFMPEG`` or a picture format such as ``PNG``."""
    if hasattr(image_settings, "media_type"):  # 5.0: decides which formats there are
        image_settings.media_type = "VIDEO" if file_format == "FFMPEG" else "IMAGE"
    image_settings.file_format = file_format
