"""Finds the word behind a SHA-256 by trying all; stops at once when one task has it.

Runs unchanged on a local Ray and on a cluster.

python examples/hash_cracker.py --word golem
ray submit golem-cluster.yaml examples/hash_cracker.py -- --word golem
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import string
import sys
import time

import ray

LETTERS = string.ascii_lowercase


def digest(word: str) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(word.encode()).hexdigest()


def prefixes(length: int) -> list[str]:
    """What the words of one task begin with: one letter, two for words of more than four."""
    return ["".join(letters) for letters in itertools.product(LETTERS, repeat=min(length, 2 if length > 4 else 1))]


def search(wanted: str, prefix: str, length: int) -> str | None:
    """The word of that length and beginning whose digest is the wanted one, if there is one."""
    for letters in itertools.product(LETTERS, repeat=length - len(prefix)):
        word = prefix + "".join(letters)
        if digest(word) == wanted:
            return word
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--word", default="golem", help="small letters a to z; only its digest is told to the tasks")
    options = parser.parse_args()
    if not options.word or not set(options.word) <= set(LETTERS):
        parser.error(f"--word takes small letters a to z, it is {options.word!r}")

    ray.init()
    begin = time.monotonic()
    wanted, length = digest(options.word), len(options.word)
    print(f"looking for {length} letters with SHA-256 {wanted}", flush=True)
    task = ray.remote(num_cpus=1)(search)
    pending = [task.remote(wanted, prefix, length) for prefix in prefixes(length)]
    tasks = len(pending)
    while pending:
        done, pending = ray.wait(pending, timeout=10)
        found = next((word for word in ray.get(done) if word is not None), None)
        if found is not None:
            for left in pending:
                ray.cancel(left)
            print(f"\nfound {found!r} after {tasks - len(pending)} of {tasks} tasks, {time.monotonic() - begin:.1f} s")
            return 0
    print("no such word", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
