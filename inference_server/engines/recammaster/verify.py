"""Whether a release, computed here, gives what the public code computes with it.

An expected file holds inputs and the public code's results on a CPU, in fp32 and in bf16:
``source_u8`` ``(F, H, W, 3)``, ``camera_12`` ``(1, T, 12)``, ``ids_pos`` and ``ids_neg``
``(1, 512)``, and for both dtypes ``source_latents``, ``context_pos``, ``dit_in`` and ``dit_out``
(at the time ``dit_t``), ``frames_u8``; the sampler's numbers stand in its metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from inference_server.model.coder import Coder, to_uint8
from inference_server.model.conditions import prepare_scene, prepare_text
from inference_server.model.prompts import embed_ids
from inference_server.model.schedule import make_schedule, model_time
from inference_server.model.tiling import Tiling
from inference_server.releases.layout import Release
from inference_server.releases.modules import load_text_encoder, load_transformer, load_vae
from shared.errors import RecamError

from .attention import probe_attention, use_kernel
from .sampling import Guidance, denoise
from .shots import decode_shot, encode_shot, shot_noise
from .windows import plan_windows

RELATIVE = 2e-5  # fp32: norm of the difference over the norm
OFF_BY_ONE = 1e-3  # fp32: share of picture values that may differ, by 1
BF16 = 1.5  # times the public code's own bf16 against its fp32
# bf16, relative: the arithmetic alone makes 0.006, a time step that is not rounded 0.004 to 0.08.
BF16_PASS = 0.012

# What an expected file holds: tensors, and numbers in its metadata.
TENSORS = {"source_u8", "camera_12", "ids_pos", "ids_neg"} | {
    f"{word}.{key}"
    for word in ("fp32", "bf16")
    for key in ("source_latents", "context_pos", "dit_in", "dit_out", "frames_u8")
}
NUMBERS = {"dit_t", "seed", "steps", "sigma_shift", "cfg_scale"}


@dataclass(frozen=True)
class Check:
    """One result beside its bound, both in the same measure, which ``name`` says."""

    name: str
    error: float
    bound: float

    @property
    def good(self) -> bool:
        """NaN is not."""
        return self.error <= self.bound


def expected_beside(release: Path) -> Path:
    """``expected.safetensors`` in the release's folder, or beside it; RecamError if in neither."""
    for place in (release, release.parent):
        if (file := place / "expected.safetensors").is_file():
            return file
    raise RecamError(
        "expected_missing",
        f"There is no expected.safetensors in {release} or beside it.",
        "Name the file with --expected; `recam verify` alone checks with the miniature release.",
    )


def verify(
    release: Release,
    expected: Path,
    device: torch.device,
    dtypes: Iterable[torch.dtype] = (torch.float32, torch.bfloat16),
) -> Iterator[Check]:
    """Each result against its bound, as it is computed: fp32, then bf16.

    The transformer is checked as the public code has it, and as the engine runs it: what stays
    the same made once, projectors folded, the last block trimmed.
    Raises RecamError ``expected_broken``, and what loading the release raises.
    """
    right, numbers = _read(expected)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    with torch.no_grad():
        for dtype in dtypes:
            yield from _verify(release, right, numbers, device, dtype)


def _verify(release, right, numbers, device, dtype) -> Iterator[Check]:
    word = "fp32" if dtype == torch.float32 else "bf16"
    frames = (right["source_u8"].float() / 255 - 0.5) / 0.5
    plan = plan_windows(len(frames), hold_short=False)
    coder = Coder(load_vae(release, dtype, device), Tiling())
    source = encode_shot(coder, frames.permute(0, 3, 1, 2), plan)
    yield _relative("source_latents", source, right, word)

    encoder = load_text_encoder(release, dtype, device)
    if (own := encoder.config.d_model) != (theirs := right["fp32.context_pos"].shape[-1]):
        raise RecamError(
            "expected_broken",
            f"The expected results belong to another release: their text encoder has {theirs} "
            f"numbers a token, this one {own}.",
            "Name the release's own file with --expected.",
        )
    contexts = tuple(
        embed_ids(encoder, ids.to(device), (ids != 0).to(device))
        for ids in (right["ids_pos"], right["ids_neg"])
    )
    del encoder
    yield _relative("context_pos", contexts[0], right, word)

    transformer = load_transformer(release, dtype, device)
    kernel = probe_attention(device, dtype, transformer.config.attention_head_dim)
    use_kernel(transformer, kernel)
    given, camera, context = (
        t.to(device, dtype)
        for t in (right[f"{word}.dit_in"], right["camera_12"], right[f"{word}.context_pos"])
    )
    time = model_time(numbers["dit_t"], rounded=dtype == torch.bfloat16).to(device)
    latents = given.shape[2] // 2
    out = transformer(given, time, context, camera).sample
    yield _relative("dit_out", out, right, word)
    transformer.fold_projectors()
    transformer.trim_last_block()
    scene = prepare_scene(transformer, given[:, :, latents:], camera)
    out = transformer(given[:, :, :latents], time, prepare_text(transformer, context), scene).sample
    yield _relative("dit_out", out, right, word, latents, "dit_out as the engine runs it")

    clean = denoise(
        transformer,
        plan,
        source,
        [right["camera_12"]],
        contexts,
        shot_noise(plan, *source.shape[-2:], int(numbers["seed"])),
        make_schedule(int(numbers["steps"]), numbers["sigma_shift"]),
        Guidance(numbers["cfg_scale"]),
        round_time=dtype == torch.bfloat16,
    )
    made = torch.stack([to_uint8(f).cpu() for f in decode_shot(coder, clean)]).permute(0, 2, 3, 1)
    off = (made.int() - right[f"{word}.frames_u8"].int()).abs()
    if word == "fp32":
        yield Check("fp32 frames_u8, largest difference", float(off.max()), 1)
        yield Check(
            "fp32 frames_u8, share that differs", (off > 0).float().mean().item(), OFF_BY_ONE
        )
    else:
        own = (right["bf16.frames_u8"].int() - right["fp32.frames_u8"].int()).abs()
        bound = BF16 * own.float().mean().item()
        yield Check("bf16 frames_u8, mean difference", off.float().mean().item(), bound)


def _relative(key: str, made, right, word: str, latents: int | None = None, name="") -> Check:
    """Norm of the difference over the norm; in bf16 against 1.5 times the public code's own.

    A pass is not measured so: its fp32 stands at another time step.
    """

    def error(a: torch.Tensor, b: torch.Tensor) -> float:
        a, b = (
            t.float().cpu()[:, :, slice(latents)] if latents else t.float().cpu() for t in (a, b)
        )
        return ((a - b).norm() / b.norm()).item()

    bound = RELATIVE if word == "fp32" else BF16_PASS
    if word == "bf16" and key != "dit_out":
        bound = BF16 * error(right[f"bf16.{key}"], right[f"fp32.{key}"])
    return Check(f"{word} {name or key}, relative", error(made, right[f"{word}.{key}"]), bound)


def _read(expected: Path) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    try:
        with safe_open(expected, "pt") as file:
            said, names = file.metadata() or {}, set(file.keys())
            if missing := sorted(TENSORS - names) + sorted(NUMBERS - said.keys()):
                more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
                raise _broken(expected, f"lacks {', '.join(missing[:3])}{more}")
            tensors = {name: file.get_tensor(name) for name in TENSORS}
        return tensors, {name: float(said[name]) for name in NUMBERS}
    except (OSError, SafetensorError, ValueError) as error:
        raise _broken(expected, f"cannot be read ({error})") from None


def _broken(expected: Path, what: str) -> RecamError:
    return RecamError(
        "expected_broken", f"{expected} {what}.", "Name another file with --expected."
    )
