"""Denoising: windows, guidance, what is prepared, and the public sampler's numbers."""

from __future__ import annotations

import copy
from itertools import pairwise

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler

from inference_server.engines.base import Cancelled
from inference_server.engines.recammaster import sampling
from inference_server.engines.recammaster.sampling import Guidance, denoise
from inference_server.engines.recammaster.shots import shot_noise, without_clip
from inference_server.engines.recammaster.windows import Plan, Window, plan_windows
from inference_server.model.camera_transformer import CameraTransformer
from inference_server.model.schedule import draw_noise, make_schedule, mix_noise, model_time

HEIGHT, WIDTH = 4, 6  # of a latent

# The times of 50 steps in bfloat16, from the public code.
TIMES = [
    *(1000, 996, 992, 988, 984, 980, 972, 968, 964, 956, 952, 948, 940, 936, 928, 920, 912),
    *(908, 900, 892, 884, 872, 864, 856, 844, 832, 820, 808, 796, 784, 768, 752, 736, 720),
    *(700, 680, 660, 636, 612, 584, 556, 524, 488, 448, 406, 358, 304, 242, 172, 92.5),
]


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def run(transformer, plan: Plan, steps: int = 2, guidance: float = 5.0, share=1.0, **more):
    """The latents of a shot of random numbers; the same numbers for the same plan."""
    source = more.pop("source", None)
    slots = (1, 16, plan.slots, HEIGHT, WIDTH)
    cameras = [random(1, len(w.slots), 12, seed=10 + i) for i, w in enumerate(plan.windows)]
    return denoise(
        transformer,
        plan,
        random(*slots, seed=1) if source is None else source,
        more.pop("cameras", cameras),
        more.pop("contexts", (random(1, 512, 64, seed=2), random(1, 512, 64, seed=3))),
        more.pop("latents", random(*slots, seed=4)),
        make_schedule(steps, 5.0),
        Guidance(guidance, share),
        **more,
    )


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return ((a - b).norm() / b.norm()).item()


def alone(count: int) -> Plan:
    """One window of so many latents."""
    slots = tuple(range(count))
    return Plan(count, (), (Window(slots, tuple(4 * s for s in slots), (1.0,) * count),))


@pytest.fixture
def passes(transformer, monkeypatch):
    """The batch size of every pass of the model."""
    seen, forward = [], type(transformer).forward

    def counting(self, hidden, *given, **more):
        seen.append(len(hidden))
        return forward(self, hidden, *given, **more)

    monkeypatch.setattr(type(transformer), "forward", counting)
    return seen


@pytest.mark.parametrize("frames", [9, 120])
def test_what_is_prepared_gives_what_every_pass_makes_anew(transformer, frames):
    plan = plan_windows(frames, hold_short=False)
    assert len(plan.windows) == (1 if frames == 9 else 2)
    assert relative(run(transformer, plan), run(transformer, plan, prepared=False)) < 1e-5


@pytest.mark.parametrize("prepared", [True, False])
def test_both_prompts_at_once_give_what_one_after_the_other_gives(
    transformer, monkeypatch, passes, prepared
):
    plan = plan_windows(9, hold_short=False)
    together = run(transformer, plan, prepared=prepared)
    assert passes == [2, 2]
    monkeypatch.setattr(sampling, "BATCHED_TOKENS", 0)
    apart = run(transformer, plan, prepared=prepared)
    assert passes[2:] == [1, 1, 1, 1]
    assert relative(together, apart) < 1e-5


def test_without_guidance_there_is_no_negative_pass(transformer, passes):
    plan = plan_windows(9, hold_short=False)
    got = run(transformer, plan, guidance=1.0)
    assert passes == [1, 1]
    no_second = random(1, 512, 64, seed=2), None
    assert torch.equal(got, run(transformer, plan, guidance=1.0, contexts=no_second))


def test_a_share_of_the_steps_is_guided_from_the_first_on(transformer, passes):
    plan = plan_windows(5, hold_short=False)
    run(transformer, plan, steps=5, share=0.6)
    assert passes == [2, 2, 2, 1, 1]
    guidance = Guidance(5.0, 0.6)
    assert [guidance.at(step, 5) for step in range(5)] == [5, 5, 5, 1, 1]
    assert {Guidance(7.0).at(step, 50) for step in range(50)} == {7.0}


def test_guidance_is_the_negative_prompt_s_and_so_many_times_the_difference(transformer):
    plan = plan_windows(5, hold_short=False)
    contexts = random(1, 512, 64, seed=2), random(1, 512, 64, seed=3)
    wanted, unwanted = (
        run(transformer, plan, steps=1, guidance=1.0, contexts=(context, None))
        for context in contexts
    )
    guided = run(transformer, plan, steps=1, guidance=5.0)
    assert relative(guided, unwanted + 5 * (wanted - unwanted)) < 1e-5


def test_a_window_is_denoised_as_if_it_were_alone_where_no_other_reaches(transformer):
    plan = plan_windows(120, anchor=False)
    first, second = plan.windows
    shared = set(first.slots) & set(second.slots)
    assert len(shared) == 11
    row, both = random(1, 16, plan.slots, HEIGHT, WIDTH, seed=4), run(transformer, plan, steps=1)
    source = random(1, 16, plan.slots, HEIGHT, WIDTH, seed=1)
    single = []
    for index, window in enumerate(plan.windows):
        slots, cameras = list(window.slots), [random(1, 21, 12, seed=10 + index)]
        given = {"source": source[:, :, slots], "cameras": cameras, "latents": row[:, :, slots]}
        single.append(run(transformer, alone(21), steps=1, **given))
        mine = [k for k, slot in enumerate(slots) if slot not in shared]
        assert relative(both[:, :, [slots[k] for k in mine]], single[-1][:, :, mine]) < 1e-5
    # Where they meet, each latent is a mean of the two, more of the first on its side.
    seam = sorted(shared)
    a, b = single[0][:, :, seam], single[1][:, :, [second.slots.index(s) for s in seam]]
    share = ((both[:, :, seam] - b) * (a - b)).sum((0, 1, 3, 4)) / (a - b).square().sum(
        (0, 1, 3, 4)
    )
    assert torch.allclose(share, torch.arange(11, 0, -1) / 12, atol=1e-3)
    assert (
        relative(share[:, None, None] * a + (1 - share[:, None, None]) * b, both[:, :, seam]) < 1e-3
    )


def test_where_three_windows_meet_their_shares_are_one_whole(transformer):
    plan = plan_windows(180, overlap=10)
    slots = [slot for window in plan.windows for slot in window.slots]
    assert max(slots.count(slot) for slot in slots) == 3
    same_everywhere = copy.deepcopy(transformer)
    torch.nn.init.zeros_(same_everywhere.proj_out.weight)
    torch.nn.init.constant_(same_everywhere.proj_out.bias, 0.5)
    row = random(1, 16, plan.slots, HEIGHT, WIDTH, seed=4)
    got = run(same_everywhere, plan, steps=1, latents=row)
    assert torch.allclose(got, row[:, :, : plan.latents] - 0.5, atol=1e-5)


def test_anchors_are_thrown_away_and_change_only_the_window_that_has_them(transformer):
    plan = plan_windows(120)
    got = run(transformer, plan, steps=1)
    assert got.shape[2] == plan.latents == plan.slots - 1
    source = random(1, 16, plan.slots, HEIGHT, WIDTH, seed=1)
    source[:, :, -1] = 0
    other = run(transformer, plan, steps=1, source=source)
    changed = (other != got).flatten(3).any(3)[0].any(0)
    assert changed.nonzero().flatten().tolist() == list(plan.windows[1].slots[1:])


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_stop_is_heeded_before_the_next_pass(transformer, passes, after):
    plan = plan_windows(120)
    with pytest.raises(Cancelled):
        run(transformer, plan, should_stop=lambda: len(passes) >= after)
    assert len(passes) == after


def test_every_window_of_every_step_is_told(transformer):
    told = []
    run(transformer, plan_windows(120), steps=3, on_pass=lambda guess: told.append(guess is None))
    assert told == [True, False] * 3  # the second window has the shot's middle


def test_the_last_guess_is_what_comes_out(transformer):
    guesses = []
    wanted = run(transformer, plan_windows(81), steps=3, on_pass=guesses.append)[:, :, 10]
    *early, last = guesses
    assert torch.allclose(last, wanted, atol=1e-5)
    assert not any(torch.allclose(guess, wanted, atol=1e-3) for guess in early)


def test_nothing_of_a_job_stays_in_the_transformer(transformer):
    run(transformer, plan_windows(5, hold_short=False))
    for block in transformer.blocks:
        assert block.attn1.term is block.attn1.camera is block.attn2.kept is None


def test_one_compiled_block_serves_all_of_a_job(transformer, monkeypatch):
    """Traced once, in one piece, for every block, window, prompt and step."""
    monkeypatch.setattr(sampling, "BATCHED_TOKENS", 0)
    model, traced = CameraTransformer(**{**transformer.config, "num_layers": 4}).eval(), []
    model.trim_last_block()
    torch._dynamo.reset()

    def backend(graph, _):
        traced.append(graph)
        return graph

    for block in model.blocks[:-1]:
        block.compile(backend=backend, fullgraph=True, dynamic=False)
    run(model, plan_windows(120), steps=2)
    torch._dynamo.reset()
    assert len(traced) == 1


def test_the_times_of_fifty_steps_are_the_public_code_s():
    schedule = make_schedule(50, 5.0)
    assert schedule.first_level == 1
    assert [model_time(t, rounded=True).item() for t in schedule.times] == TIMES
    exact = [model_time(t, rounded=False).item() for t in schedule.times]
    levels = [1.0, 0.995935, 0.9917355, 0.9873949, 0.9829059]
    assert exact[:5] == pytest.approx([1000 * level for level in levels], abs=1e-3)
    assert exact[-3:] == pytest.approx([241.9355, 172.4138, 92.5926], abs=1e-3)


def test_a_step_goes_straight_to_the_next_level():
    schedule, x, v = make_schedule(4, 5.0), random(1, 4), random(1, 4, seed=1)
    levels = [u * 5 / (1 + 4 * u) for u in (1, 0.75, 0.5, 0.25, 0)]
    for index, (level, following) in enumerate(pairwise(levels)):
        stepped = schedule.step(index, v, x)
        assert torch.allclose(stepped, x + v * (following - level), atol=1e-6)
        x = stepped


def test_diffusers_own_levels_would_be_others():
    own = FlowMatchEulerDiscreteScheduler(shift=5.0)
    own.set_timesteps(50)
    ours = torch.tensor(make_schedule(50, 5.0).times) / 1000
    assert (own.sigmas[:-1] - ours).abs().max() > 0.06


def test_unipc_takes_the_same_levels_and_ends_clean():
    clean, noise = random(1, 64), random(1, 64, seed=1)
    for strength in (1.0, 0.6):
        euler, unipc = (make_schedule(8, 5.0, strength, solver) for solver in ("euler", "unipc"))
        assert unipc.times == pytest.approx(euler.times, abs=2e-3)
        x = mix_noise(clean, noise, unipc.first_level)
        for index in range(8):
            x = unipc.step(index, noise - clean, x)
            assert x.isfinite().all()
        assert torch.allclose(x, clean, atol=1e-4)


def test_unipc_needs_fewer_steps():
    """For a model whose answer depends on where it is, as every real one's does."""

    def solved(solver: str, steps: int) -> torch.Tensor:
        schedule, x = make_schedule(steps, 5.0, solver=solver), random(1, 64)
        for index, time in enumerate(schedule.times):
            level = time / 1000
            x = schedule.step(index, x - torch.tanh(x * (1 - level)), x)
        return x

    right = solved("euler", 2000)
    errors = {s: (solved(s, 20) - right).abs().max().item() for s in ("euler", "unipc")}
    assert errors["unipc"] < errors["euler"] / 3


def test_denoising_strength_is_the_level_before_the_shift():
    schedule = make_schedule(10, 5.0, strength=0.4)
    assert schedule.first_level == pytest.approx(5 * 0.4 / (1 + 4 * 0.4))
    assert len(schedule.times) == 10
    unshifted = [0.4 * (1 - k / 10) for k in range(10)]
    expected = [1000 * 5 * u / (1 + 4 * u) for u in unshifted]
    assert schedule.times == pytest.approx(expected, abs=1e-3)
    clean, noise = torch.full((2,), 3.0), torch.full((2,), -1.0)
    level = schedule.first_level
    assert torch.allclose(mix_noise(clean, noise, level), (1 - level) * clean + level * noise)


def test_noise_is_what_the_public_code_draws():
    plan = plan_windows(81)
    noise = shot_noise(plan, 60, 104, 0)
    assert noise.shape == (1, 16, 21, 60, 104)
    expected = [-1.1258398, -1.1523602, -0.2505786, -0.4338788, 0.8487104, 0.6920092]
    assert noise.flatten()[:6].tolist() == pytest.approx(expected, abs=1e-6)


def test_no_noise_of_a_job_repeats_another():
    plan = plan_windows(120)
    noise = shot_noise(plan, HEIGHT, WIDTH, 7)
    assert torch.equal(
        noise[:, :, : plan.latents],
        shot_noise(Plan(plan.latents, (), plan.windows), HEIGHT, WIDTH, 7),
    ), "the row's own does not depend on anchors"
    source = without_clip(torch.zeros(noise.shape), "noise", 7)
    latents = torch.cat([noise, source], 2).transpose(1, 2).flatten(2)[0]
    alike = torch.corrcoef(latents) - torch.eye(len(latents))
    assert alike.abs().max() < 0.35
    assert (noise == source).float().mean() < 1e-3
    assert not torch.equal(noise, shot_noise(plan, HEIGHT, WIDTH, 8))


def test_one_generator_goes_on_from_shape_to_shape():
    first, second = draw_noise(3, (16,), (16,))
    assert torch.equal(torch.cat([first, second]), draw_noise(3, (32,))[0])


def test_what_the_model_is_given_of_the_clip():
    source = random(1, 16, 5, HEIGHT, WIDTH)
    assert without_clip(source, "clip", 0) is source
    frame = without_clip(source, "first_frame", 0)
    assert torch.equal(frame[:, :, :1], source[:, :, :1])
    noise = without_clip(source, "noise", 0)
    assert torch.equal(frame[:, :, 1:], noise[:, :, 1:])
    assert abs(noise.mean()) < 0.1 and abs(noise.std() - 1) < 0.1
    assert relative(noise, source) > 1
