"""How much memory a job needs, what fits, and what happens when it runs out all the same."""

from __future__ import annotations

import re
import resource
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from recammaster_jobs import RELEASE, pictures, render
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode

from inference_server.engines.recammaster import attention, memory, networks, sampling
from inference_server.engines.recammaster.attention import AttentionKernel, probe_attention
from inference_server.engines.recammaster.memory import (
    CHUNK,
    GIB,
    Needs,
    choose_mode,
    free_bytes,
    pass_cost,
    refuse_without_fused,
)
from inference_server.engines.recammaster.networks import Networks
from inference_server.engines.recammaster.sampling import Guidance, denoise
from inference_server.engines.recammaster.shortcuts import Shortcuts, keep
from inference_server.engines.recammaster.stepping_down import is_out_of_memory
from inference_server.engines.recammaster.windows import plan_windows
from inference_server.model.camera_transformer import CameraTransformer
from inference_server.model.dry_run import dry_run
from inference_server.model.schedule import make_schedule
from inference_server.releases.modules import load_transformer, load_vae
from inference_server.video.reader import Reader
from shared.errors import RecamError

CITY = Path(__file__).parents[3] / "clips/cityCC0.mpg"  # cuts at its frame 116
CPU = torch.device("cpu")
SMALL = {
    "num_attention_heads": 2,
    "attention_head_dim": 48,
    "text_dim": 64,
    "ffn_dim": 560,
    "num_layers": 4,
}
NEEDS = Needs(transformer=300, block=10, vae=50, denoising=200, coding=250)


# What a network at work does and nothing else, loading one least of all.
WORK = {
    "reading the clip": torch.ops.aten.convolution.default,
    "denoising": torch.ops.aten.addmm.default,
    "writing the take": torch.ops.aten.convolution.default,
}


class Shortage(TorchDispatchMode):
    """Memory that runs out whenever a network is at work at one stage of the job, and ``when()``.

    ``told``: what a job says of its progress.
    """

    def __init__(self, stage: str, when=lambda: True) -> None:
        super().__init__()
        self.stage, self.when = stage, when
        self.doing, self.times = "", 0

    def told(self, step: int, steps: int, doing: str) -> None:
        self.doing = doing

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if self.doing == self.stage and func is WORK[self.stage] and self.when():
            self.times += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return func(*args, **(kwargs or {}))


@pytest.fixture
def nets(engine):
    """The engine's networks, resident again afterwards."""
    _, made, _ = engine._load("")
    yield made
    made.__dict__.pop("kernel", None)
    made.mode = "resident"


@pytest.fixture(scope="module")
def clip():
    return pictures(9)


@pytest.fixture(scope="module")
def take(engine, clip):
    ((frames, _),) = render(engine, clip)
    return frames


def differ(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


def small_pass(latents: int, height: int, width: int):
    """A transformer, and one step of it over one window of random numbers."""
    torch.manual_seed(0)
    model = CameraTransformer(**SMALL).eval().requires_grad_(False)
    model.fold_projectors()
    model.trim_last_block()
    model.chunk_feed_forward(CHUNK)
    plan = plan_windows(4 * latents - 3, hold_short=False)
    row = torch.randn(1, 16, latents, height, width)
    camera = [torch.randn(1, latents, 12)]
    contexts = torch.randn(1, 512, 64), torch.randn(1, 512, 64)
    schedule = make_schedule(1, 5.0)

    def run():
        return denoise(model, plan, row, camera, contexts, row, schedule, Guidance())

    return dict(model.config), run


def test_what_each_mode_needs():
    assert NEEDS.of("resident") == 300 + 50 + 250
    assert NEEDS.of("offload") == 300 + 200
    assert NEEDS.of("streamed") == 50 + 250


@pytest.mark.parametrize(
    ("free", "mode"),
    [(None, "resident"), (1000, "resident"), (646, "resident"), (640, "offload")],
)
def test_the_first_mode_that_fits_is_taken(free, mode):
    assert choose_mode("auto", NEEDS, free) == mode


def test_modes_below_are_taken_where_less_is_free():
    assert choose_mode("auto", NEEDS, 530) == "streamed"
    assert choose_mode("auto", NEEDS, 540) == "offload"
    assert choose_mode("streamed", NEEDS, 10**6) == "streamed", "as the artist wants it"
    assert choose_mode("auto", NEEDS, 10**6, after="resident") == "offload"
    assert choose_mode("resident", NEEDS, None, after="offload") == "streamed"


def test_where_nothing_fits_the_figures_are_told():
    needs = Needs(3 * GIB, GIB // 10, GIB // 2, 3 * GIB, 5 * GIB)
    with pytest.raises(RecamError) as caught:
        choose_mode("auto", needs, 4 * GIB)
    assert caught.value.code == "memory_short"
    assert "5.5 GiB" in caught.value.sentence and "4.0 GiB are free" in caught.value.sentence
    with pytest.raises(RecamError) as caught:
        choose_mode("auto", needs, 80 * GIB, after="streamed")
    assert caught.value.code == "memory_short" and "all the same" in caught.value.sentence


@pytest.mark.parametrize(("height", "width"), [(8, 12), (16, 20)])
def test_the_estimate_is_what_a_pass_takes(height, width):
    config, run = small_pass(21, height, width)
    real = dry_run(run, fused=False).peak_bytes  # real tensors, with the CPU's own fused kernel
    estimate = pass_cost(config, 21, height, width, torch.float32).peak_bytes
    assert estimate == pytest.approx(real, rel=0.15)


def test_the_estimate_knows_which_windows_take_both_prompts_at_once(monkeypatch):
    config, _ = small_pass(1, 8, 12)
    both = pass_cost(config, 21, 8, 12, torch.float32).peak_bytes
    monkeypatch.setattr(sampling, "BATCHED_TOKENS", 100)
    memory._pass_cost.cache_clear()
    one = pass_cost(config, 21, 8, 12, torch.float32).peak_bytes
    memory._pass_cost.cache_clear()
    assert 1.3 < both / one < 2


def test_without_a_fused_kernel_the_scores_are_what_counts():
    config, run = small_pass(5, 16, 20)
    with sdpa_kernel([SDPBackend.MATH]):
        real = dry_run(run, fused=False).peak_bytes
    size = config, 5, 16, 20, torch.float32
    refuse_without_fused(*size, int(1.15 * real))
    refuse_without_fused(*size, None)
    with pytest.raises(RecamError) as caught:
        refuse_without_fused(*size, int(0.85 * real))
    assert caught.value.code == "attention_missing" and "160 x 128" in caught.value.sentence
    assert pass_cost(*size).peak_bytes < real / 2


def test_a_job_whose_scores_would_not_fit_is_refused(engine, nets, clip, monkeypatch):
    monkeypatch.setitem(nets.__dict__, "kernel", AttentionKernel("native", False, {"native": 1.0}))
    monkeypatch.setattr(
        "inference_server.engines.recammaster.reckoning.free_bytes", lambda _: 10**5
    )
    with pytest.raises(RecamError) as caught:
        render(engine, clip)
    assert caught.value.code == "attention_missing" and "64 x 64" in caught.value.sentence


def test_a_job_that_cannot_fit_is_refused_before_it_begins(engine, nets, clip, take, monkeypatch):
    held = nets.room() - free_bytes(CPU)
    monkeypatch.setattr(networks, "free_bytes", lambda _: 10_000 - held)
    with pytest.raises(RecamError) as caught:
        render(engine, clip)
    assert caught.value.code == "memory_short"
    monkeypatch.undo()
    assert differ(render(engine, clip)[0][0], take) == 0, "the next job"


def test_networks_that_are_there_count_as_room(nets):
    nets.load()
    held = sum(p.nbytes for p in [*nets.transformer.parameters(), *nets.vae.parameters()])
    free = free_bytes(CPU)
    assert free > 0 and abs(nets.room() - free - held) < max(0.2 * free, GIB)
    meta = Networks(None, None, torch.device("cuda", 0), torch.float32)
    meta.__dict__.update(transformer=nets.transformer, vae=nets.vae)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "free_bytes", lambda _: 5)
        assert meta.room() == 5, "what lies elsewhere does not"


@pytest.mark.parametrize("memory", ["offload", "streamed"])
def test_every_mode_gives_the_same_take(engine, nets, clip, memory):
    ((resident, _),) = render(engine, clip, steps=2)
    ((frames, rendering),) = render(engine, clip, steps=2, memory=memory)
    assert rendering.report["memory"] == memory
    assert differ(frames, resident) <= 1
    ((again, _),) = render(engine, clip, steps=2)
    assert differ(again, resident) == 0


@pytest.mark.parametrize("stage", WORK)
def test_a_shortage_is_stepped_down_from_and_told(engine, nets, clip, take, stage):
    with Shortage(stage, lambda: nets.mode == "resident") as shortage:
        ((frames, rendering),) = render(engine, clip, shortage.told)
    assert shortage.times == 1
    assert differ(frames, take) == 0
    assert rendering.report["memory"] == "offload"
    (said,) = (remark for remark in rendering.remarks if "ran out of memory" in remark)
    assert (
        "memory with the networks there together;" in said and "one network there at a time" in said
    )
    ((_, following),) = render(engine, clip)
    assert following.report["memory"] == "resident", "the next job looks at what is free then"


def test_a_shortage_in_the_middle_of_writing_loses_and_repeats_no_frame(engine, nets, clip, take):
    counted = []
    shortage = Shortage("writing the take", lambda: nets.mode == "resident" and len(counted) > 5)

    def told(step: int, steps: int, doing: str) -> None:
        shortage.told(step, steps, doing)
        counted.extend([step] * (doing == shortage.stage))

    with shortage:
        ((frames, _),) = render(engine, clip, told)
    assert shortage.times == 1
    assert counted[5] > counted[0], "five frames are written before it"
    assert len(frames) == 9 and differ(frames, take) == 0


def test_a_shortage_goes_down_to_the_last_mode_and_then_ends_the_job(engine, nets, clip, take):
    with Shortage("denoising", lambda: nets.mode != "streamed") as shortage:
        ((frames, rendering),) = render(engine, clip, shortage.told)
    assert shortage.times == 2 and rendering.report["memory"] == "streamed"
    assert differ(frames, take) <= 1
    with Shortage("denoising") as shortage, pytest.raises(RecamError) as caught:
        render(engine, clip, shortage.told)
    assert shortage.times == 3
    assert caught.value.code == "memory_short" and "all the same" in caught.value.sentence
    assert differ(render(engine, clip)[0][0], take) == 0, "the next job"


def test_a_step_cache_goes_before_anything_else(engine, nets, clip):
    keep(RELEASE, Shortcuts("euler", 2, 1.0, 1e-9), {})

    def cached() -> bool:
        return nets.transformer.is_cache_enabled and shortage.times < 5

    with Shortage("denoising", cached) as shortage:
        ((frames, rendering),) = render(engine, clip, shortage.told, quality="fast")
    assert shortage.times == 1 and rendering.report["memory"] == "resident"
    assert any("without the step cache" in remark for remark in rendering.remarks)
    ((plain, _),) = render(engine, clip, steps=2)
    assert differ(frames, plain) == 0


def test_transformer_and_vae_are_never_at_work_at_once(engine, nets, monkeypatch):
    """Nor does the decoder of one shot wait, with what it keeps, while the next is denoised."""
    events = []

    def noted(name: str):
        right = getattr(Networks, name)

        @contextmanager
        def noting(self, *given):
            events.append(f"{name} begins")
            try:
                with right(self, *given) as network:
                    yield network
            finally:
                events.append(f"{name} ends")

        return noting

    for name in ("coding", "denoising"):
        monkeypatch.setattr(Networks, name, noted(name))
    render(engine, Reader(CITY, 114, 4), cuts="separate", size="64x64")
    one_shot = ["coding", "denoising", "coding"]
    assert events == [f"{name} {what}" for name in one_shot * 2 for what in ("begins", "ends")]


def test_another_error_is_not_taken_for_a_shortage(engine, nets, clip, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("a shape is wrong")

    monkeypatch.setattr(nets.transformer, "forward", broken)
    with pytest.raises(RuntimeError, match="a shape is wrong"):
        render(engine, clip)
    assert nets.mode == "resident"


def test_what_the_system_says_when_there_is_no_memory_is_understood():
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/status") as file:
        (size,) = re.findall(r"VmSize:\s+(\d+) kB", file.read())
    resource.setrlimit(resource.RLIMIT_AS, (int(size) * 1024 + 2**26, hard))
    try:
        with pytest.raises(Exception, match=r".") as caught:
            torch.empty(2**30)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_only_what_is_at_work_stays_when_a_mode_is_left(monkeypatch):
    """As seen by where the networks are sent; on this machine that is the CPU in any case."""
    sent = []
    made = Networks(
        lambda dtype: load_transformer(RELEASE, dtype),
        lambda dtype: load_vae(RELEASE, dtype),
        torch.device("meta"),  # a device that is not the CPU
        torch.float32,
    )
    made.load()
    for name in ("transformer", "vae"):
        network = getattr(made, name)
        monkeypatch.setattr(
            network,
            "to",
            lambda place, name=name, network=network: sent.append((name, str(place))) or network,
        )
    with made.coding(None):
        pass
    made.mode = "offload"
    assert sent == [("vae", "meta"), ("transformer", "cpu"), ("vae", "cpu")]
    sent.clear()
    with made.coding(None):
        pass
    assert sent == [("vae", "meta"), ("vae", "cpu")]
    before = made.transformer
    made.mode = "streamed"
    assert made.transformer is not before and not made.prepared


def test_the_probe_takes_what_works_and_is_right(monkeypatch):
    kernel = probe_attention(CPU, torch.float32, 48)
    assert kernel.name == "native" and kernel.fused and kernel.seconds == {"native": 1.0}
    right = attention.dispatch_attention_fn

    def wrong(*given, backend):
        return right(*given, backend="native") * (1 if backend == "native" else 1.5)

    # As on a card, where several could do it: one that is missing, one that is wrong.
    monkeypatch.setattr(attention, "dispatch_attention_fn", wrong)
    assert attention._try("flash", CPU, torch.float32, 48) is None
    monkeypatch.setattr(attention, "dispatch_attention_fn", right)
    assert attention._try("no such kernel", CPU, torch.float32, 48) is None
    # Where PyTorch has no fused one, its own choice is not called fused.
    monkeypatch.setattr(attention, "_has_fused", lambda *_: False)
    assert not probe_attention(CPU, torch.float32, 48).fused
