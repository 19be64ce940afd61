"""How good is a bridge hand? Deals the other 39 cards many times. Before and after Ray: --plain runs without it.

What Ray needs stands beside plain(): with_ray() and the function it runs; the simulation and its result are the same.

python examples/bridge_deal.py --plain
python examples/bridge_deal.py
ray submit golem-cluster.yaml examples/bridge_deal.py -- --hand AKxxx.Kxx.Axx.xx
"""

from __future__ import annotations

import argparse
import collections
import random
import socket
import sys
import time
from collections.abc import Sequence

SUITS = "SHDC"
RANKS = "AKQJT98765432"
POINTS = {"A": 4, "K": 3, "Q": 2, "J": 1}
GAME = 25
"""Points of both hands with which a game is usually made."""

Result = collections.Counter[str]


def parse_hand(text: str) -> list[str]:
    """Cards from ``spades.hearts.diamonds.clubs``; x is any small card. Raises ValueError."""
    suits = text.upper().split(".")
    if len(suits) != len(SUITS):
        raise ValueError(f"a hand has four suits, separated by dots, not {len(suits)}")
    cards = [suit + rank for suit, held in zip(SUITS, suits, strict=True) for rank in _ranks(held)]
    if len(cards) != 13:
        raise ValueError(f"a hand has 13 cards, not {len(cards)}")
    return cards


def _ranks(held: str) -> list[str]:
    named = [rank for rank in held if rank != "X"]
    small = [rank for rank in reversed(RANKS[5:]) if rank not in named]
    if len(set(named)) != len(named) or not set(named) <= set(RANKS) or held.count("X") > len(small):
        raise ValueError(f"{held!r} is no holding of a suit")
    return named + small[: held.count("X")]


def points(cards: Sequence[str]) -> int:
    """High-card points: ace 4, king 3, queen 2, jack 1."""
    return sum(POINTS.get(card[1], 0) for card in cards)


def best_fit(cards: Sequence[str], others: Sequence[str]) -> int:
    """Cards of both hands in their longest common suit."""
    return max(collections.Counter(card[0] for card in [*cards, *others]).values())


def simulate(hand: Sequence[str], deals: int, seed: int) -> Result:
    """Deal partner's hand that often; how often the pair has a game, a fit, both."""
    random_source = random.Random(seed)  # noqa: S311 - no secret depends on it
    rest = [suit + rank for suit in SUITS for rank in RANKS if suit + rank not in hand]
    result: Result = collections.Counter(deals=deals)
    for _ in range(deals):
        partner = random_source.sample(rest, 13)
        game, fit = points(hand) + points(partner) >= GAME, best_fit(hand, partner) >= 8
        result.update(game=game, fit=fit, both=game and fit)
    return result


def plain(hand: Sequence[str], tasks: int, deals: int) -> Result:
    """One after the other, on this machine."""
    total: Result = collections.Counter()
    for seed in range(tasks):
        total.update(simulate(hand, deals, seed))
    return total


def with_ray(hand: Sequence[str], tasks: int, deals: int) -> Result:
    """All at once, on all nodes."""
    import ray  # noqa: PLC0415 - --plain runs where there is no Ray

    ray.init()
    task = ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(simulate_somewhere)
    pending = [task.remote(hand, deals, seed) for seed in range(tasks)]
    total: Result = collections.Counter()
    nodes: collections.Counter[str] = collections.Counter()
    while pending:
        done, pending = ray.wait(pending, num_returns=min(5, len(pending)), timeout=10)
        for node, result in ray.get(done):
            nodes[node] += 1
            total.update(result)
        print(f"{tasks - len(pending):4d} of {tasks} tasks done on {len(nodes)} node(s)", flush=True)
    for node, count in nodes.most_common():
        print(f"  {count:4d}  {node}")
    return total


def simulate_somewhere(hand: Sequence[str], deals: int, seed: int) -> tuple[str, Result]:
    """The same, and on which machine."""
    return socket.gethostname(), simulate(hand, deals, seed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hand", default="AKxxx.Kxx.Axx.xx", help="spades.hearts.diamonds.clubs")
    parser.add_argument("--tasks", type=int, default=20, help="number of tasks")
    parser.add_argument("--deals", type=int, default=20_000, help="deals of one task")
    parser.add_argument("--plain", action="store_true", help="without Ray")
    options = parser.parse_args()
    try:
        hand = parse_hand(options.hand)
    except ValueError as error:
        parser.error(str(error))

    begin = time.monotonic()
    total = (plain if options.plain else with_ray)(hand, options.tasks, options.deals)
    print(f"\n{total['deals']} deals in {time.monotonic() - begin:.1f} s, {points(hand)} points in hand:")
    for what, text in (("game", f"{GAME} points or more"), ("fit", "eight cards of a suit"), ("both", "both")):
        print(f"  {100 * total[what] / total['deals']:5.1f} %  {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
