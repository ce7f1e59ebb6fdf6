"""The secret key of a machine that was given none: one random file, readable by its owner only."""

import os
import secrets
import sys
from pathlib import Path


def read_or_none(path: Path) -> str | None:
    """The key in `path`, or None where there is no such file."""
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        return None


def write_once(path: Path) -> None:
    """Make `path` with a new random key, mode 0600, unless it is there already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(48) + "\n")


if __name__ == "__main__":
    write_once(Path(sys.argv[1]))
