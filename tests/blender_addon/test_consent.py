"""Footage stays on this machine until the artist says where it may go."""

from __future__ import annotations

import importlib

import pytest

ELSEWHERE = "tcp://render.example:47811"


@pytest.fixture
def consent(addon, bpy, monkeypatch):
    """The add-on's consent; Blender may be online, and its preferences are as before after it."""
    monkeypatch.setattr(bpy.context.preferences.system, "use_online_access", True)
    yield addon.consent
    preferences = addon.preferences.preferences()
    preferences.server = ""
    preferences.allowed.clear()


@pytest.fixture
def refused(addon, consent):
    """The error that sending to an address, or to that in the preferences, is refused with."""

    def run(where=""):
        with pytest.raises(addon.shared.errors.RecamError) as caught:
            consent.check_consent(where)
        return caught.value

    return run


@pytest.mark.parametrize(
    "where",
    ["tcp://127.0.0.1:47811", "tcp://127.3.2.1:1", "tcp://localhost:47811", "tcp://[::1]:47811"],
)
def test_this_machine_needs_no_consent(consent, where):
    assert consent.is_this_machine(where)
    consent.check_consent(where)


@pytest.mark.parametrize(
    "where",
    [
        ELSEWHERE,
        "tcp://10.0.0.3:47811",
        "tcp://0.0.0.0:47811",
        "tcp://localhost.example:47811",
        "tcp://127.0.0.1.example:47811",
        "tcp://[2001:db8::1]:47811",
    ],
)
def test_another_machine_needs_it(consent, refused, where):
    error = refused(where)
    assert error.code == "consent" and where in error.sentence
    consent.allow(where)
    consent.check_consent(where)


@pytest.mark.parametrize("where", ["render.example", "127.0.0.1:47811", "tcp://render.example"])
def test_what_is_no_address_is_called_so(consent, refused, where):
    assert refused(where).code == "server_address"


def test_what_is_no_address_is_not_offered_to_be_sent_to(bpy, addon, consent, monkeypatch):
    page, said = importlib.import_module(f"{addon.ui.__name__}.preferences_page"), []
    monkeypatch.setattr(page, "paragraph", lambda layout, text, icon, width: said.append(text))
    addon.preferences.preferences().server = "render.example"
    page._sending(None, 400)  # no layout: a button would fail
    assert said == ["render.example is not the address of a server: footage is sent nowhere."]
    with pytest.raises(RuntimeError, match="is not the address of a server"):
        bpy.ops.recam.allow_sending()
    assert consent.allowed() == []


def test_consent_is_for_one_address_and_is_taken_back(bpy, addon, consent, refused):
    preferences = addon.preferences.preferences()
    preferences.server = ELSEWHERE
    assert refused().code == "consent"
    assert bpy.ops.recam.allow_sending() == {"FINISHED"}
    consent.check_consent()
    assert consent.allowed() == [ELSEWHERE]
    assert refused("tcp://render.example:47812").code == "consent"
    assert bpy.ops.recam.allow_sending() == {"FINISHED"}
    assert consent.allowed() == [ELSEWHERE]  # once is enough
    assert bpy.ops.recam.forbid_sending(address=ELSEWHERE) == {"FINISHED"}
    assert refused().code == "consent"


def test_it_is_kept_with_the_preferences(bpy, addon, consent):
    consent.allow(ELSEWHERE)
    assert bpy.context.preferences.is_dirty  # Blender then saves them by itself
    bpy.ops.wm.save_userpref()
    assert not bpy.context.preferences.is_dirty
    consent.forbid(ELSEWHERE)
    assert bpy.context.preferences.is_dirty


def test_a_blender_that_is_to_stay_offline_speaks_to_nobody(bpy, addon, consent, refused):
    bpy.context.preferences.system.use_online_access = False
    consent.allow(ELSEWHERE)
    error = refused(ELSEWHERE)
    assert error.code == "offline" and "Online Access" in error.hint
    consent.check_consent("tcp://127.0.0.1:47811")
    addon.preferences.preferences().server = ELSEWHERE
    with pytest.raises(addon.shared.errors.RecamError, match="stay offline"):
        addon.jobs.session.client()
    watch = addon.local_server.current.watch
    addon.local_server.current.show()
    assert watch.seen.error.code == "offline"
    watch.close()
    for button in (bpy.ops.recam.install_server, bpy.ops.recam.install_weights):
        with pytest.raises(RuntimeError, match="Allow Online Access"):
            button()
    assert not addon.local_server.current.busy()


def test_a_reshoot_without_consent_begins_nothing(bpy, addon, consent, sequence, clip):
    editor = sequence.sequence_editor
    editor.active_strip = addon.versions.strips(editor).new_movie("shot", str(clip), 1, 1)
    addon.preferences.preferences().server = ELSEWHERE
    with pytest.raises(RuntimeError, match="may not be sent"):
        bpy.ops.recam.reshoot()
    assert not addon.jobs.running.jobs


def test_what_a_reshoot_says_after_the_consent_is_its_own_sentence(
    bpy, addon, consent, sequence, clip
):
    editor = sequence.sequence_editor
    editor.active_strip = addon.versions.strips(editor).new_movie("shot", str(clip), 1, 1)
    preferences = addon.preferences.preferences()
    preferences.server, preferences.server_key = ELSEWHERE, "no key"
    with pytest.raises(RuntimeError, match="key") as caught:
        bpy.ops.recam.allow_sending(reshoot=True)
    preferences.server_key = ""
    assert "Traceback" not in str(caught.value)
    assert consent.allowed() == [ELSEWHERE]
