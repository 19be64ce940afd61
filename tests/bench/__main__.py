"""``make bench``: runs the benchmarks of this folder one after the other, each in a process of its own.

A benchmark is a module with a constant ``MEASURES``, one sentence, that ends with code 0 if its goals are met. One with
a constant ``NEEDS`` is run only when it is named: what it says must have been done before.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
SOURCES = ("services/bridge", "services/devnet", "services/ray_plugin")
"""Folders of packages that benchmarks import without their being installed."""


@dataclass(frozen=True)
class Bench:
    """What a module says of itself."""

    measures: str
    needs: str | None

    @property
    def line(self) -> str:
        return f"{self.measures} (needs {self.needs})" if self.needs else self.measures


def benches(folder: Path = FOLDER) -> Mapping[str, Bench]:
    """Name and description of every module that declares itself."""
    found = {path.stem: _constants(path) for path in sorted(folder.glob("*.py"))}
    return {
        name: Bench(constants["MEASURES"], constants.get("NEEDS"))
        for name, constants in found.items()
        if "MEASURES" in constants
    }


def _constants(path: Path) -> Mapping[str, str]:
    """Texts at the module's top; read, not imported: a benchmark may need what is not installed here."""
    found = {}
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                found[name] = text
    return found


def run(names: Sequence[str]) -> int:
    """Each with its output as it comes; the number of those that failed."""
    failed = []
    for name in names:
        print(f"\n== {name}: {benches()[name].line}", flush=True)
        begin = time.monotonic()
        command = [sys.executable, "-m", f"tests.bench.{name}"]
        done = subprocess.run(command, cwd=ROOT, env=_environment(), check=False)
        took = f"{time.monotonic() - begin:.0f} s"
        print(f"   {'goals met' if done.returncode == 0 else f'exit code {done.returncode}'}, {took}", flush=True)
        failed += [name] if done.returncode else []
    print(
        f"\n{len(names) - len(failed)} of {len(names)} benchmarks met their goals"
        + "".join(f", not {n}" for n in failed)
    )
    return len(failed)


def _environment() -> dict[str, str]:
    path = [*(str(ROOT / source) for source in SOURCES), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def main() -> int:
    """0 if all goals are met, 1 if not, 2 for a name that is none."""
    known = benches()
    parser = argparse.ArgumentParser(prog="make bench", description="Without names: all that need nothing.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--list", action="store_true", help="only say what there is")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.names) - set(known)):
        parser.error(f"no benchmark {unknown[0]!r} — known: {', '.join(known)}")
    if asked.list:
        print("\n".join(f"{name:<16} {bench.line}" for name, bench in known.items()))
        return 0
    return 1 if run(asked.names or [name for name, bench in known.items() if not bench.needs]) else 0


if __name__ == "__main__":
    sys.exit(main())
