"""The buttons: install, remove, start, stop and ask the local server; fetch the weights."""

from __future__ import annotations

import bpy
from bpy.props import EnumProperty

from ..consent import check_online, check_reachable, is_this_machine
from ..identity import ADDON
from ..preferences import address, preferences, server_key
from ..shared.errors import RecamError
from ..translations import words
from ..ui.paragraph import QUESTION_WIDTH, question
from . import current, places, server
from .builds import build, builds, likely, words_for
from .install import install_task, remove_task
from .recam_tasks import WEIGHTS_GIGABYTES, doctor_task, weights_task

_items = [(each.name, each.title, each.sentence) for each in builds()]


class _TaskOperator:
    """An operator that begins a task; ``make`` returns it, or raises RecamError."""

    @classmethod
    def poll(cls, context) -> bool:
        if current.busy():
            cls.poll_message_set(words("{task} has not ended", task=words(current.task.title)))
            return False
        return True

    def execute(self, context) -> set[str]:
        try:
            current.begin(self.make())
        except RecamError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class RECAM_OT_install_server(_TaskOperator, bpy.types.Operator):
    """Install, update or repair the server of this machine."""

    bl_idname = "recam.install_server"
    bl_label = "Install Local Server"
    bl_description = (
        "Install a Recam server on this machine, in an environment of its own. Asks before it "
        "downloads anything; Blender's own Python stays as it is"
    )

    build: EnumProperty(
        items=_items, name="With", description="What the server can do, and on which card"
    )

    def invoke(self, context, event) -> set[str]:
        try:
            check_online("Installing a server")
        except RecamError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        there = places.installed()
        self.build = likely(there.build if there else "")
        return context.window_manager.invoke_props_dialog(
            self,
            width=QUESTION_WIDTH,
            title=words("Download and Install a Server?"),
            confirm_text=words("Install"),
        )

    def draw(self, context) -> None:
        self.layout.use_property_split = True
        self.layout.prop(self, "build")
        chosen = build(self.build)
        download, disk = words_for(chosen.download), words_for(chosen.disk)
        lines = [
            ("INFO", f"{words(chosen.sentence)}."),
            (
                "IMPORT",
                words(
                    "Downloads about {size} from {site}.",
                    size=download,
                    site=", ".join(map(words, chosen.sources)),
                ),
            ),
            (
                "DISK_DRIVE",
                words("Takes about {size} in {folder}.", size=disk, folder=places.environment()),
            ),
        ]
        if chosen.model:
            apart = "The model's weights, {gigabytes} GB more, are fetched apart."
            lines.append(("BLANK1", words(apart, gigabytes=WEIGHTS_GIGABYTES)))
        question(self.layout, context, lines)

    def make(self):
        check_online("Installing a server")
        if server.running() is not None:
            raise RecamError(
                "server_running", "The local server runs.", "Stop it before it is changed."
            )
        return install_task(build(self.build))


class RECAM_OT_remove_server(_TaskOperator, bpy.types.Operator):
    """Delete the server that was installed on this machine. Takes, weights and keys stay"""

    bl_idname = "recam.remove_server"
    bl_label = "Remove Local Server"

    def invoke(self, context, event) -> set[str]:
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=words("Remove the Local Server?"),
            message=words(
                "{folder} is deleted. Takes, weights and keys stay.", folder=places.environment()
            ),
            confirm_text=words("Remove"),
        )

    def make(self):
        if server.running() is not None:
            raise RecamError("server_running", "The local server runs.", "Stop it first.")
        return remove_task()


class RECAM_OT_start_server(_TaskOperator, bpy.types.Operator):
    """Start the Recam server on this machine"""

    bl_idname = "recam.start_server"
    bl_label = "Start Server"

    def make(self):
        where = address()
        if not is_this_machine(where):
            raise RecamError(
                "server_elsewhere",
                f"{where} is another machine: a server is started there.",
                "Empty the address in the add-on's preferences to use this machine.",
            )
        return server.start_task(_recam(), where)


class RECAM_OT_stop_server(_TaskOperator, bpy.types.Operator):
    """Stop the server that was started from Blender."""

    bl_idname = "recam.stop_server"
    bl_label = "Stop Server"
    bl_description = (
        "Stop the server that was started from Blender. Jobs that it has wait until it is "
        "started again"
    )

    @classmethod
    def poll(cls, context) -> bool:
        if not server.runs():
            cls.poll_message_set(words("No server that was started from Blender runs"))
            return False
        return super().poll(context)

    def invoke(self, context, event) -> set[str]:
        seen = current.watch.seen
        if seen is None or not is_this_machine(seen.address) or not seen.jobs:
            return self.execute(context)
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=words("Stop the Server?"),
            message=words(
                "Jobs under way: {count}. The server begins again with them when it is started.",
                count=seen.jobs,
            ),
            confirm_text=words("Stop"),
        )

    def make(self):
        return server.stop_task()


class RECAM_OT_check_server(_TaskOperator, bpy.types.Operator):
    """Ask recam doctor what is installed, what can run and what is missing"""

    bl_idname = "recam.check_server"
    bl_label = "Check"

    def make(self):
        check_reachable(address())  # which recam doctor asks, too
        return doctor_task(_recam(), address(), server_key(), current.sentences)


class RECAM_OT_install_weights(_TaskOperator, bpy.types.Operator):
    """Fetch the model's weights for the server of this machine."""

    bl_idname = "recam.install_weights"
    bl_label = "Fetch Weights"
    bl_description = (
        "Fetch the public weights of ReCamMaster for the server on this machine. Asks before it "
        "downloads anything; what is there already is not fetched again"
    )

    def invoke(self, context, event) -> set[str]:
        try:
            _check_weights()
        except RecamError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return context.window_manager.invoke_props_dialog(
            self,
            width=QUESTION_WIDTH,
            title=words("Download the Model's Weights?"),
            confirm_text=words("Download"),
        )

    def draw(self, context) -> None:
        lines = [
            (
                "IMPORT",
                words(
                    "Downloads about {size} from {site}.",
                    size=f"{WEIGHTS_GIGABYTES} GB",
                    site="huggingface.co",
                ),
            ),
            ("INFO", words("By downloading them you agree to their licences:")),
            ("BLANK1", "Wan2.1 (transformer, VAE, text encoder): Apache-2.0"),
            ("BLANK1", "ReCamMaster-Wan2.1 (camera weights): Apache-2.0"),
        ]
        question(self.layout, context, lines)

    def make(self):
        _check_weights()
        return weights_task(_recam())


class RECAM_OT_cancel_task(bpy.types.Operator):
    """Call off what is being done to the local server"""

    bl_idname = "recam.cancel_task"
    bl_label = "Cancel Server Task"

    @classmethod
    def poll(cls, context) -> bool:
        if current.task is None:
            cls.poll_message_set(words("Nothing is being done to the local server"))
        return current.task is not None

    def execute(self, context) -> set[str]:
        if current.busy():
            current.task.cancel()
        else:
            current.forget()
        return {"FINISHED"}


class RECAM_OT_show_log(bpy.types.Operator):
    """Open the log in the program that this system opens text files with"""

    bl_idname = "recam.show_log"
    bl_label = "Show Log"

    log: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context) -> set[str]:
        named = self.log or "server"
        file = places.server_log() if named == "server" else places.log(named)
        if not file.is_file():
            self.report({"ERROR"}, words("There is no log yet: {file}", file=file))
            return {"CANCELLED"}
        return bpy.ops.wm.path_open(filepath=str(file))


class RECAM_OT_show_preferences(bpy.types.Operator):
    """Show Recam's preferences: the server, its keys, what may be sent"""

    bl_idname = "recam.show_preferences"
    bl_label = "Recam Preferences"

    def execute(self, context) -> set[str]:
        bpy.ops.screen.userpref_show("INVOKE_DEFAULT")
        return bpy.ops.preferences.addon_show(module=ADDON)


def _check_weights() -> None:
    """RecamError where weights cannot be fetched: ``offline``, ``server_without_model``."""
    check_online("Fetching weights")
    there = places.installed()
    if there and not preferences().recam_command and not build(there.build).model:
        raise RecamError(
            "server_without_model",
            "The local server is installed without the model: weights are of no use to it.",
            "Press Change or Repair in the add-on's preferences, and choose one with the model.",
        )


def _recam() -> list[str]:
    return places.recam(preferences().recam_command.strip())


CLASSES = (
    RECAM_OT_install_server,
    RECAM_OT_remove_server,
    RECAM_OT_start_server,
    RECAM_OT_stop_server,
    RECAM_OT_check_server,
    RECAM_OT_install_weights,
    RECAM_OT_cancel_task,
    RECAM_OT_show_log,
    RECAM_OT_show_preferences,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
