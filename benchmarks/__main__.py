"""Run every benchmark, or those named: `python -m benchmarks [tiers sync …]`.

Each script measures a ratio within one run, prints it beside its goal, and ends with 1 where it
misses. They run one after the other, so that none slows down another.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main(wanted: list[str]) -> int:
    scripts = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))
    if unknown := set(wanted) - set(scripts):
        sys.exit(f"No benchmark {', '.join(sorted(unknown))}; there are: {', '.join(scripts)}")
    missed = []
    for script in wanted or scripts:
        print(f"\n===== {script}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{script}"]
        if subprocess.run(command, cwd=FOLDER.parent, check=False).returncode:
            missed.append(script)
    print(f"\nmissed: {', '.join(missed)}" if missed else "\nall goals reached")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
