"""The clip thrown from the source camera onto meshes: as nodes of a material and of a modifier.

The material computes the place in the clip for every pixel, exactly (Material Preview, Rendered).
Texture shading in Solid view knows no nodes, but takes the UVs that the modifier computes at the
corners of faces it divides before: exact there, and nearly so between.
"""

from __future__ import annotations

import bpy

from .. import versions
from ..scene.drivers import drive
from .frustum import Window
from .movie_texture import new_material, texture_of

SOURCE, ACROSS, UP = "Recam Source", "Recam Across", "Recam Up"  # nodes
FACES = 8192  # about how many a mesh is divided into
LEVELS = 6


def projection_material(name: str) -> bpy.types.Material:
    """A material that shows the clip where the source camera saw it, and black elsewhere."""
    material = new_material(name)
    tree = versions.node_tree(material)
    place = tree.nodes.new("ShaderNodeTexCoord")
    place.name = place.label = SOURCE
    uv, depth = _project(tree, place.outputs["Object"])
    texture = texture_of(material)
    tree.links.new(uv, texture.inputs["Vector"])
    before = _math(tree, "LESS_THAN", depth, 0.0)  # the camera looks along -z
    light = next(node for node in tree.nodes if node.type == "EMISSION")
    tree.links.new(before, light.inputs["Strength"])
    _line_up(tree)
    return material


def projection_nodes(name: str, material: bpy.types.Material) -> bpy.types.NodeTree:
    """A modifier's nodes that divide a mesh, give it the UVs and the material."""
    tree = bpy.data.node_groups.new(name, "GeometryNodeTree")
    sockets = tree.interface
    sockets.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    level = sockets.new_socket("Level", in_out="INPUT", socket_type="NodeSocketInt")
    level.min_value, level.max_value = 0, LEVELS
    sockets.new_socket("UV Map", in_out="INPUT", socket_type="NodeSocketString")
    sockets.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    new, link = tree.nodes.new, tree.links.new
    enters, leaves = new("NodeGroupInput"), new("NodeGroupOutput")
    divide, store = new("GeometryNodeSubdivideMesh"), new("GeometryNodeStoreNamedAttribute")
    paint, camera = new("GeometryNodeSetMaterial"), new("GeometryNodeObjectInfo")
    camera.name = camera.label = SOURCE
    camera.transform_space = "RELATIVE"
    into, place = new("FunctionNodeInvertMatrix"), new("FunctionNodeTransformPoint")
    link(camera.outputs["Transform"], into.inputs[0])
    link(new("GeometryNodeInputPosition").outputs[0], place.inputs["Vector"])
    link(into.outputs[0], place.inputs["Transform"])
    uv, depth = _project(tree, place.outputs[0])
    beyond = new("GeometryNodeSwitch")  # what is behind the camera has no place in the clip
    beyond.input_type = "VECTOR"
    link(_math(tree, "LESS_THAN", depth, 0.0), beyond.inputs["Switch"])
    beyond.inputs["False"].default_value = (-9, -9, 0)
    link(uv, beyond.inputs["True"])
    store.data_type, store.domain = "FLOAT2", "CORNER"
    paint.inputs["Material"].default_value = material
    link(enters.outputs["Geometry"], divide.inputs["Mesh"])
    link(enters.outputs["Level"], divide.inputs["Level"])
    link(divide.outputs["Mesh"], store.inputs["Geometry"])
    link(enters.outputs["UV Map"], store.inputs["Name"])
    link(beyond.outputs[0], store.inputs["Value"])
    link(store.outputs["Geometry"], paint.inputs["Geometry"])
    link(paint.outputs["Geometry"], leaves.inputs["Geometry"])
    _line_up(tree)
    return tree


def nodes_with(material: bpy.types.Material) -> bpy.types.NodeTree | None:
    """The modifier's nodes that give this material, if there are some."""
    for tree in bpy.data.node_groups:
        paints = [node for node in tree.nodes if node.type == "SET_MATERIAL"]
        if any(node.inputs["Material"].default_value == material for node in paints):
            return tree
    return None


def aim(tree: bpy.types.NodeTree, source: bpy.types.Object, window: Window) -> None:
    """Let nodes of either kind project from the source camera, the clip filling its window."""
    camera = tree.nodes[SOURCE]
    if hasattr(camera, "object"):
        camera.object = source
    else:
        camera.inputs["Object"].default_value = source
    lens, sensor = (source.data, "lens"), (source.data, window.sensor)
    for name, size, middle, shift in (
        (ACROSS, window.width, window.x, "shift_x"),
        (UP, window.height, window.y, "shift_y"),
    ):
        path = f'nodes["{name}"].inputs[%d].default_value'
        drive(tree, path % 1, -1, f"-l / s / {size:.12f}", {"l": lens, "s": sensor})
        moved = f"0.5 - ({middle:.12f} + x) / {size:.12f}"
        drive(tree, path % 2, -1, moved, {"x": (source.data, shift)})


def levels(faces: int) -> int:
    """How often the modifier divides a mesh."""
    level = 0
    while level < LEVELS and faces * 4 ** (level + 1) <= FACES:
        level += 1
    return level


def _project(tree, place) -> tuple:
    """Sockets: the place in the clip as UV, and z in the camera's axes."""
    apart = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(place, apart.inputs[0])
    together = tree.nodes.new("ShaderNodeCombineXYZ")
    depth = apart.outputs["Z"]
    for axis, name in ((0, ACROSS), (1, UP)):
        slope = _math(tree, "DIVIDE", apart.outputs[axis], depth)
        scaled = _math(tree, "MULTIPLY_ADD", slope, 1.0)
        scaled.node.name = scaled.node.label = name
        tree.links.new(scaled, together.inputs[axis])
    return together.outputs[0], depth


def _math(tree, operation: str, first, second):
    node = tree.nodes.new("ShaderNodeMath")
    node.operation = operation
    tree.links.new(first, node.inputs[0])
    if isinstance(second, float):
        node.inputs[1].default_value = second
    else:
        tree.links.new(second, node.inputs[1])
    return node.outputs[0]


def _line_up(tree) -> None:
    """Side by side, for whoever opens the editor."""
    for number, node in enumerate(tree.nodes):
        node.location = (200 * (number % 6), -250 * (number // 6))
