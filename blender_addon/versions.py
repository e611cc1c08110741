"""Every difference between Blender versions, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import bpy

# For a path property that may begin with // (4.5 wants to be told).
PATH_OPTIONS = {"options": {"PATH_SUPPORTS_BLEND_RELATIVE"}} if bpy.app.version >= (4, 5, 0) else {}


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


def strips(editor):
    """The strips of a sequence editor, those inside meta strips left out."""
    return editor.strips if hasattr(editor, "strips") else editor.sequences  # 4.4


def all_strips(editor):
    """The strips of a sequence editor, those inside meta strips too."""
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all  # 4.4


def first_frame(strip) -> int:
    """The scene's frame at which a strip is first shown."""
    return strip.left_handle if _renamed(strip) else strip.frame_final_start


def end_frame(strip) -> int:
    """The first frame after a strip."""
    return strip.right_handle if _renamed(strip) else strip.frame_final_end


def duration(strip) -> int:
    """For how many frames a strip is shown."""
    return strip.duration if _renamed(strip) else strip.frame_final_duration


def content_start(strip) -> float:
    """The scene's frame at which a strip's source begins, trimmed away or not."""
    return strip.content_start if _renamed(strip) else strip.frame_start


def content_duration(strip) -> int:
    """The frames of a strip's source, without those that a hard trim took away."""
    return strip.content_duration if _renamed(strip) else strip.frame_duration


def content_trim_start(strip) -> int:
    """The frames at the source's start that a hard trim took away."""
    return strip.content_trim_start if _renamed(strip) else strip.animation_offset_start


def set_first_frame(strip, frame: int) -> None:
    """Trim a strip so that it is first shown at this frame."""
    setattr(strip, "left_handle" if _renamed(strip) else "frame_final_start", frame)


def set_end_frame(strip, frame: int) -> None:
    """Trim a strip so that this is the first frame after it."""
    setattr(strip, "right_handle" if _renamed(strip) else "frame_final_end", frame)


def set_duration(strip, frames: int) -> None:
    """Trim a strip at its end to so many frames."""
    setattr(strip, "duration" if _renamed(strip) else "frame_final_duration", frames)


def move(strip, frames: int) -> None:
    """Move a strip, with its trims, by so many frames."""
    name = "content_start" if _renamed(strip) else "frame_start"
    setattr(strip, name, getattr(strip, name) + frames)


def _renamed(strip) -> bool:
    return hasattr(strip, "left_handle")  # 5.1; the old names go in 6.0


def turns_movies() -> bool:
    """Whether movies are shown turned where their files ask for it."""
    return bpy.app.version >= (4, 5, 0)


def hidden_before(strip) -> float:
    """The frames of a strip's source that its start is trimmed by; negative where it is held."""
    return strip.left_handle_offset if _renamed(strip) else strip.frame_offset_start


def hidden_after(strip) -> float:
    """The frames of a strip's source that its end is trimmed by; negative where it is held."""
    return strip.right_handle_offset if _renamed(strip) else strip.frame_offset_end


def forget_compositing(scene) -> None:
    """Take the compositor's nodes off a scene, and with them all that they use."""
    if hasattr(scene, "compositing_node_group"):  # 5.0
        scene.compositing_node_group = None
    elif scene.node_tree is not None:
        scene.node_tree.nodes.clear()


def use_neutral_white(view_settings) -> None:
    """Leave the white balance as it is in the file."""
    if hasattr(view_settings, "use_white_balance"):  # 4.3
        view_settings.use_white_balance = False


def curves(animation) -> Iterator:
    """Every curve that an AnimData evaluates: of its action, and of its NLA strips' actions."""
    yield from own_curves(animation)
    pending = [strip for track in animation.nla_tracks for strip in track.strips]
    for strip in pending:
        pending += strip.strips  # inside an NLA meta strip
        if strip.action is not None:
            yield from _curves(strip.action, strip)


def own_curves(animation) -> Iterator:
    """The curves of an AnimData's own action."""
    if animation.action is not None:
        yield from _curves(animation.action, animation)


def _curves(action, user) -> Iterator:
    if not hasattr(action, "layers"):  # 4.4: an action serves several users, each its own slot
        yield from action.fcurves
        return
    if user.action_slot is None:
        return
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(user.action_slot)
            if bag is not None:
                yield from bag.fcurves


def new_effect(strips, name: str, kind: str, channel: int, frames: range, first, second):
    """A new effect strip over ``frames``, on two strips."""
    takes = strips.bl_rna.functions["new_effect"].parameters.keys()
    keywords = {"name": name, "type": kind, "channel": channel, "frame_start": frames.start}
    if "length" in takes:  # 5.0
        keywords["length"] = len(frames)
    else:
        keywords["frame_end"] = frames.stop
    inputs = ("input1", "input2") if "input1" in takes else ("seq1", "seq2")  # 4.4
    return strips.new_effect(**keywords, **dict(zip(inputs, (first, second), strict=True)))


def node_tree(material):
    """The nodes of a material, made if it has none."""
    if material.node_tree is None:
        material.use_nodes = True  # 5.0: every material has them
    return material.node_tree


def own_action(owner) -> None:
    """Give a data-block an action of its own where it shares one, so that no other moves along."""
    animation = owner.animation_data
    if animation is None or animation.action is None:
        return
    if hasattr(animation, "action_slot"):  # 4.4: an action serves several users, each its own slot
        shared = animation.action_slot is not None and len(animation.action_slot.users()) > 1
    else:
        shared = animation.action.users - animation.action.use_fake_user > 1
    if shared:
        animation.action = animation.action.copy()


def set_modifier_input(modifier, identifier: str, value) -> None:
    """Set what goes into a Geometry Nodes modifier at a socket of its group."""
    if hasattr(modifier, "properties"):  # 5.1
        getattr(modifier.properties.inputs, identifier).value = value
    else:
        modifier[identifier] = value
