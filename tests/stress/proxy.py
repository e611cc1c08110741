"""The same jobs over a network that cuts, resets, delays, splits and half forgets connections."""

from __future__ import annotations

import random
import time
from collections import Counter

from . import resumed
from .campaign import Campaign
from .plan import make_plan
from .running import Progress
from .table import Row

SECONDS = 600.0
SEED = 6
SLOW = 0.004  # seconds per 64 KiB
AHEAD = 0.1  # share of the jobs that is released beyond what the troubles have come to
MEAN_SECONDS = 0.8  # from one trouble to the next

KINDS = (
    ("FIN",) * 5 + ("RST",) * 5 + ("delay",) * 3 + ("bytes",) * 3 + ("half sent", "half received")
)
QUICK = "FIN", "RST", "delay", "bytes"  # half a connection costs the heartbeat's 15 seconds


def run(short: bool) -> list[Row]:
    """80 jobs under 100 troubles, and transfers that are cut; short: 6 under 4."""
    jobs, troubles, artists = (6, 4, 2) if short else (80, 100, 4)
    dice, kinds, began = random.Random(SEED), Counter(), time.monotonic()
    with Campaign(make_plan(jobs, artists, SEED), SLOW) as campaign:
        progress = Progress("troubles", troubles)
        for number in range(troubles):
            campaign.release(round(jobs * ((number + 1) / troubles + AHEAD)))
            time.sleep(min(dice.expovariate(1 / MEAN_SECONDS), 4 * MEAN_SECONDS))
            kind = QUICK[number % len(QUICK)] if short else dice.choice(KINDS)
            kinds[_trouble(campaign, dice, kind)] += 1
            progress.at(number + 1)
        campaign.release(jobs)
        progress = Progress("jobs ended", jobs)
        campaign.wait(150 if short else 240, lambda: progress.at(campaign.ended()))
        took = time.monotonic() - began
        connections = campaign.proxy.connections
        verdict = campaign.judge()
    told = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    return [
        Row(
            f"troubles of the network, seed {SEED}", f"{kinds.total()}: {told}", str(troubles), True
        ),
        Row("connections made", str(connections), "", True),
        campaign.alive(),
        *verdict.rows(jobs),
        Row("time in all", f"{took:.0f} s", "", True),
        *resumed.run(short),
    ]


def _trouble(campaign: Campaign, dice: random.Random, kind: str) -> str:
    """Make it, for one connection or for a moment; what it was."""
    proxy = campaign.proxy
    links = list(proxy.links)
    if kind in ("delay", "bytes"):
        proxy.slow = dice.uniform(0.02, 0.2) if kind == "delay" else SLOW
        proxy.bytewise = 3000 if kind == "bytes" else 0
        time.sleep(dice.uniform(0.2, 1.0))
        proxy.slow, proxy.bytewise = SLOW, 0
    elif not links:
        return "none, as nobody was connected"
    elif kind.startswith("half"):
        dice.choice(links).swallow = kind.split()[1]
    else:
        dice.choice(links).cut(reset=kind == "RST")
    return kind
