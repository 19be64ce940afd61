"""Actors keep state between calls: each counts the words that are its own.

Runs unchanged on a local Ray and on a cluster.

python examples/actors.py
ray submit golem-cluster.yaml examples/actors.py -- --actors 3
"""

from __future__ import annotations

import argparse
import collections
import random
import socket
import sys
import time
import zlib
from typing import Any

import ray

WORDS = ("the", "of", "and", "to", "in", "is", "that", "for", "it", "as", "was", "with", "be", "by", "on", "not")


def text(length: int, seed: int) -> list[str]:
    """Words, some more frequent than others, as in any language."""
    weights = [1 / rank for rank in range(1, len(WORDS) + 1)]
    return random.Random(seed).choices(WORDS, weights, k=length)  # noqa: S311 - no secret depends on it


def shares(words: list[str], actors: int) -> list[list[str]]:
    """The words by the actor that counts them: the same word always goes to the same one."""
    result: list[list[str]] = [[] for _ in range(actors)]
    for word in words:
        result[zlib.crc32(word.encode()) % actors].append(word)
    return result


class WordCounter:
    """Remembers how often it has seen each word."""

    def __init__(self) -> None:
        self._counts: collections.Counter[str] = collections.Counter()

    def add(self, words: list[str]) -> None:
        self._counts.update(words)

    def counts(self) -> dict[str, int]:
        return dict(self._counts)

    def where(self) -> str:
        return socket.gethostname()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actors", type=int, default=2, help="number of actors; each wants a CPU of its own")
    parser.add_argument("--texts", type=int, default=50, help="number of texts")
    parser.add_argument("--length", type=int, default=20_000, help="words in one text")
    options = parser.parse_args()

    ray.init()
    begin = time.monotonic()
    actor = ray.remote(num_cpus=1)(WordCounter)
    counters: list[Any] = [actor.remote() for _ in range(options.actors)]
    for number, counter in enumerate(counters, start=1):
        print(f"actor {number} lives on {ray.get(counter.where.remote())}", flush=True)
    for seed in range(options.texts):
        words = shares(text(options.length, seed), options.actors)
        ray.get([counter.add.remote(share) for counter, share in zip(counters, words, strict=True)])
    total: collections.Counter[str] = collections.Counter()
    for counts in ray.get([counter.counts.remote() for counter in counters]):
        total.update(counts)

    print(f"\n{total.total()} words in {time.monotonic() - begin:.1f} s, the most frequent:")
    for word, count in total.most_common(5):
        print(f"  {count:8d}  {word}")
    return 0 if total.total() == options.texts * options.length else 1


if __name__ == "__main__":
    sys.exit(main())
