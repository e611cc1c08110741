"""Whether an object is in a scene, asked without looking at all the others there."""

from __future__ import annotations


def test_an_object_stands_in_the_scenes_that_hold_it_hidden_and_excluded_too(bpy, addon):
    stands_in, scene = addon.scene.blocks.stands_in, bpy.context.scene
    other = bpy.data.scenes.new("other")
    thing = bpy.data.objects.new("thing", None)
    assert not stands_in(thing, scene)
    inner = bpy.data.collections.new("inner")
    scene.collection.children.link(inner)
    inner.objects.link(thing)
    assert stands_in(thing, scene) and not stands_in(thing, other)
    thing.hide_viewport = True
    scene.view_layers[0].layer_collection.children["inner"].exclude = True
    assert stands_in(thing, scene)
    thing["kept"] = True
    scene["pointing"] = thing  # as a property of the add-on does, once it is deleted
    inner.objects.unlink(thing)
    assert not stands_in(thing, scene) and addon.camera.rig.alive(thing) is None


def test_of_two_with_one_name_each_is_where_it_is(bpy, addon, tmp_path):
    """From another file one of the same name may come."""
    stands_in, scene = addon.scene.blocks.stands_in, bpy.context.scene
    linked = bpy.data.objects.new("thing", None)
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {linked})
    bpy.data.objects.remove(linked)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.objects = ["thing"]
    linked, own = wanted.objects[0], bpy.data.objects.new("thing", None)
    assert linked.name == own.name
    scene.collection.objects.link(own)
    assert stands_in(own, scene) and not stands_in(linked, scene)
    scene.collection.objects.link(linked)
    assert stands_in(own, scene) and stands_in(linked, scene)
