"""Every text that the add-on shows is there in every language, and none that it does not show."""

from __future__ import annotations

import ast
import json
import re
import string
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "blender_addon"
LANGUAGES = sorted((ROOT / "languages").glob("*.json"))
BASES = ("Operator", "Panel", "Menu", "PropertyGroup", "AddonPreferences")
BLENDERS_OWN = ("filepath", "filter_glob", "check_existing")  # of its import and export helpers
NAMES = {"Recam", "ReCamMaster"}  # are called so everywhere
# Words that an operator's button or a layout takes, and Blender looks up.
SHOWN = ("text", "heading")
OPERATORS = "Operator"
# Files whose tasks tell how far they are; the panel looks that up.
TASKS = ("install.py", "recam_tasks.py", "server.py", "builds.py", "task.py")
DOING = re.compile(r"[A-Z][a-z]+ing [^.]*\w")


@pytest.mark.parametrize("file", LANGUAGES, ids=lambda file: file.stem)
def test_a_language_has_every_text_and_no_other(addon, bpy, package, file):
    wanted = rna_texts(bpy, package) | written_texts() | task_texts() | tables(addon)
    known = {
        (context, text)
        for context, texts in json.loads(file.read_text(encoding="utf-8")).items()
        for text in texts
    }
    assert not sorted(wanted - known), "not translated"
    assert not sorted(known - wanted), "no longer shown"


@pytest.mark.parametrize("file", LANGUAGES, ids=lambda file: file.stem)
def test_a_translation_is_filled_with_the_same_values_and_ends_alike(file):
    for texts in json.loads(file.read_text(encoding="utf-8")).values():
        for text, shown in texts.items():
            assert shown.strip() == shown and shown
            assert fields(text) == fields(shown), text
            assert text.endswith((".", "…", "?")) == shown.endswith((".", "…", "?")), text


def test_tooltips_are_sentences_without_a_full_stop(bpy, package):
    for each in classes(bpy, package):
        if issubclass(each, bpy.types.PropertyGroup | bpy.types.AddonPreferences):
            continue
        tooltip = each.bl_description if hasattr(each, "bl_description") else each.__doc__
        assert tooltip and not tooltip.endswith("."), each
    for context, text in rna_texts(bpy, package):
        assert not text.endswith("."), (context, text)


def test_there_is_german():
    assert [file.stem for file in LANGUAGES] == ["de_DE"]


def test_words_are_looked_up_and_filled(addon, bpy, monkeypatch):
    words = addon.translations.words
    assert words("{count} files", count=3) == "3 files"
    assert words("A brace { alone") == "A brace { alone"
    german = addon.translations.dictionary()["de_DE"]
    assert german[OPERATORS, "Set Up Camera"] == "Kamera einrichten"
    if bpy.app.build_options.international:
        pytest.skip("this Blender shows whatever language it is set to")


def fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def classes(bpy, package):
    """Every class of the add-on's that Blender shows something of."""
    pending = [getattr(bpy.types, name) for name in BASES]
    while pending:
        each = pending.pop()
        pending += each.__subclasses__()
        if each.__module__.startswith(package) and getattr(each, "is_registered", False):
            yield each


def rna_texts(bpy, package) -> set[tuple[str, str]]:
    """(context, text) of what Blender looks up in classes and their properties."""
    found = set()
    for each in classes(bpy, package):
        rna = each.bl_rna
        if not issubclass(each, (bpy.types.PropertyGroup, bpy.types.AddonPreferences)):
            found.add((rna.translation_context, each.bl_label))
            found.add(("*", getattr(each, "bl_description", "") or each.__doc__))
        if issubclass(each, bpy.types.Operator):  # whose properties lie elsewhere
            group, _, name = each.bl_idname.partition(".")
            rna = getattr(getattr(bpy.ops, group), name).get_rna_type()
        base = rna.base.properties.keys() if rna.base else ()
        for property in rna.properties:
            if property.identifier in (*base, *BLENDERS_OWN, "name") or property.is_hidden:
                continue
            found |= property_texts(property)
    return {(context, text) for context, text in found if text and text not in NAMES}


def property_texts(property) -> set[tuple[str, str]]:
    context = property.translation_context
    found = {(context, property.name), ("*", property.description)}
    if property.type == "ENUM":
        for item in property.enum_items:
            found |= {(context, item.name), ("*", item.description)}
    return found


def written_texts() -> set[tuple[str, str]]:
    """(context, text) of what is written out where the add-on draws, asks or reports."""
    found = set()
    for file in ROOT.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        constants = names_of(tree)
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name == "words":
                found |= {("*", text) for text in texts_in(call.args[0], constants)}
            if name == "report":
                found |= {("*", text) for text in texts_in(call.args[1], {})}
            for keyword in call.keywords:
                if keyword.arg in SHOWN and not untranslated(call):
                    context = OPERATORS if name == "operator" else context_in(call)
                    found |= {(context, text) for text in texts_in(keyword.value, constants)}
    return {(context, text) for context, text in found if text and text not in NAMES}


def task_texts() -> set[tuple[str, str]]:
    """What a task on the local server tells of itself, as far as it is written out there."""
    found = set()
    for name in TASKS:
        for node in ast.walk(ast.parse((ROOT / "local_server" / name).read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} if DOING.fullmatch(node.value) else set()
            elif isinstance(node, ast.Return):
                found |= {text for text in texts_in(node.value, {}) if text.endswith(".")}
    return {("*", text) for text in found}


def tables(addon) -> set[tuple[str, str]]:
    """What is looked up in a table."""
    builds = addon.local_server.builds
    found = {
        builds.PACKAGE_INDEX,
        *addon.jobs.stand.WORDS.values(),
        *(text for build in builds.BUILDS for text in (build.title, build.sentence)),
    }
    return {("*", text) for text in found}


def names_of(tree) -> dict[str, set[str]]:
    """What plain names stand for: a text is given one where it is long, or one of several."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, set()).update(texts_in(node.value, {}))
    return found


def texts_in(node, names: dict[str, set[str]]) -> set[str]:
    """The texts that an expression may be: one, or one of several."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.Name):
        return names.get(node.id, set())
    if isinstance(node, ast.IfExp):
        return texts_in(node.body, names) | texts_in(node.orelse, names)
    return set()


def context_in(call) -> str:
    """The context that a call names by the add-on's own constant, else everybody's."""
    return "Recam" if any(each.arg.endswith("_ctxt") for each in call.keywords if each.arg) else "*"


def untranslated(call) -> bool:
    return any(
        keyword.arg == "translate" and getattr(keyword.value, "value", True) is False
        for keyword in call.keywords
    )
