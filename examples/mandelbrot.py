"""The Mandelbrot set as a PNG, one task per band of rows. Runs unchanged on a local Ray and on a cluster.

python examples/mandelbrot.py
ray submit golem-cluster.yaml examples/mandelbrot.py
ray rsync-down golem-cluster.yaml /root/mandelbrot.png mandelbrot.png
"""

from __future__ import annotations

import argparse
import struct
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import ray

LEFT, RIGHT, CENTRE = -2.2, 0.8, 0.0
"""What is shown of the plane; the height follows from the picture's shape."""


def steps(point: complex, limit: int) -> int:
    """After how many steps the point escapes; ``limit`` if it does not."""
    value = 0j
    for step in range(limit):
        if value.real * value.real + value.imag * value.imag > 4:
            return step
        value = value * value + point
    return limit


def colour(count: int, limit: int) -> bytes:
    """Red, green, blue: black inside, from blue to white outside."""
    if count == limit:
        return b"\0\0\0"
    part = (count / limit) ** 0.4
    return bytes(int(255 * min(1.0, part * strength)) for strength in (0.9, 1.3, 2.4))


def band(first: int, last: int, width: int, height: int, limit: int) -> list[bytes]:
    """The pixels of rows ``first`` up to ``last``, which is not among them."""
    scale = (RIGHT - LEFT) / width
    rows = []
    for row in range(first, last):
        imaginary = CENTRE + (height / 2 - row) * scale
        points = (complex(LEFT + column * scale, imaginary) for column in range(width))
        rows.append(b"".join(colour(steps(point, limit), limit) for point in points))
    return rows


def png(rows: Sequence[bytes], width: int) -> bytes:
    """A PNG file of RGB rows."""
    header = struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=960, help="pixels")
    parser.add_argument("--height", type=int, default=640, help="pixels")
    parser.add_argument("--limit", type=int, default=200, help="steps after which a point counts as inside")
    parser.add_argument("--rows", type=int, default=16, help="rows of one task")
    parser.add_argument("--output", type=Path, default=Path("mandelbrot.png"), help="file to write")
    options = parser.parse_args()

    ray.init()
    begin = time.monotonic()
    task = ray.remote(num_cpus=1)(band)
    size = (options.width, options.height, options.limit)
    bands = [
        task.remote(first, min(first + options.rows, options.height), *size)
        for first in range(0, options.height, options.rows)
    ]
    pending = bands
    while pending:
        _, pending = ray.wait(pending, num_returns=min(10, len(pending)), timeout=10)
        print(f"{len(bands) - len(pending):4d} of {len(bands)} bands done", flush=True)
    rows = [row for rows in ray.get(bands) for row in rows]
    options.output.write_bytes(png(rows, options.width))
    print(f"\n{options.output.resolve()}: {options.width} x {len(rows)} in {time.monotonic() - begin:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
