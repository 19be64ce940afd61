"""``make bench``: runs the benchmarks of this folder one after the other, each in a process of its own.

A benchmark is a module with a constant ``MEASURES``, one sentence, that ends with code 0 if its goals are met.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
MARK = "MEASURES"


def benches(folder: Path = FOLDER) -> Mapping[str, str]:
    """Name and sentence of every module that declares itself."""
    found = {path.stem: _sentence(path) for path in sorted(folder.glob("*.py"))}
    return {name: sentence for name, sentence in found.items() if sentence}


def _sentence(path: Path) -> str | None:
    """Read, not imported: a benchmark may need what is not installed here."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))) if name == MARK:
                return text
    return None


def run(names: Sequence[str]) -> int:
    """Each with its output as it comes; the number of those that failed."""
    failed = []
    for name in names:
        print(f"\n== {name}: {benches()[name]}", flush=True)
        begin = time.monotonic()
        done = subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], cwd=ROOT, check=False)
        took = f"{time.monotonic() - begin:.0f} s"
        print(f"   {'goals met' if done.returncode == 0 else f'exit code {done.returncode}'}, {took}", flush=True)
        failed += [name] if done.returncode else []
    print(
        f"\n{len(names) - len(failed)} of {len(names)} benchmarks met their goals"
        + "".join(f", not {n}" for n in failed)
    )
    return len(failed)


def main() -> int:
    """0 if all goals are met, 1 if not, 2 for a name that is none."""
    known = benches()
    parser = argparse.ArgumentParser(prog="make bench", description="Without names, all benchmarks are run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--list", action="store_true", help="only say what there is")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.names) - set(known)):
        parser.error(f"no benchmark {unknown[0]!r} — known: {', '.join(known)}")
    if asked.list:
        print("\n".join(f"{name:<16} {sentence}" for name, sentence in known.items()))
        return 0
    return 1 if run(asked.names or list(known)) else 0


if __name__ == "__main__":
    sys.exit(main())
