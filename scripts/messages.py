"""The message catalogues: compile them, bring them up to date, check that nothing is missing.

python -m scripts.messages compile | update | check
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
LOCALE = "zh_Hans"
CATALOGUE = Path("locale", LOCALE, "LC_MESSAGES", "django.po")
PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[sdf]|\{(\w*)[^{}]*\}")
EXTRACT = ["makemessages", "-l", LOCALE, "--no-obsolete", "--no-location", "--no-wrap", "-v0"]
#: Folders without sources of ours; their names, wherever they stand.
NO_SOURCES = (".git", ".venv", "var", "node_modules", "__pycache__", "tests", ".*_cache", "*.mo")


def compile_all(root: Path) -> list[Path]:
    """Write a .mo beside every .po that is newer than it, and say which."""
    written = []
    for source in sorted(root.glob("locale/*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        polib.pofile(str(source)).save_as_mofile(str(target))
        written.append(target)
    return written


def gaps(catalogue: polib.POFile) -> Iterator[str]:
    """One line for every entry that is not translated, in doubt, or loses a placeholder."""
    for entry in catalogue:
        if entry.obsolete:
            continue
        if entry.fuzzy:
            yield f"fuzzy: {entry.msgid!r}"
        elif not entry.translated():
            yield f"not translated: {entry.msgid!r}"
        else:
            sources = [entry.msgid, entry.msgid_plural or entry.msgid]
            allowed = [placeholders(source) for source in sources]
            for text in [entry.msgstr, *entry.msgstr_plural.values()]:
                if text and placeholders(text) not in allowed:
                    yield f"other placeholders than the source: {entry.msgid!r} → {text!r}"


def placeholders(text: str) -> list[str]:
    """`%(name)s`, `%s` and `{name}` in `text`, sorted; `%%` is none."""
    return sorted(match.group() for match in PLACEHOLDER.finditer(text.replace("%%", "")))


def ids(catalogue: polib.POFile) -> set[tuple[str | None, str]]:
    return {(entry.msgctxt, entry.msgid) for entry in catalogue if not entry.obsolete}


def extract(root: Path) -> polib.POFile:
    """The strings of the sources as they are now, taken from a copy. Needs the gettext tools."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name, "kehu")
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*NO_SOURCES, "locale"))
        (copy / CATALOGUE).parent.mkdir(parents=True)
        environment = {**os.environ, "DATA_DIR": f"{name}/data", "SECRET_KEY": "x" * 50}
        subprocess.run(
            [sys.executable, "manage.py", *EXTRACT], cwd=copy, env=environment, check=True
        )
        return polib.pofile(str(copy / CATALOGUE))


def drift(catalogue: polib.POFile, sources: polib.POFile) -> Iterator[str]:
    """One line for every string that only the catalogue or only the sources have."""
    for _context, text in sorted(ids(sources) - ids(catalogue), key=str):
        yield f"not in the catalogue: {text!r}"
    for _context, text in sorted(ids(catalogue) - ids(sources), key=str):
        yield f"no longer in the sources: {text!r}"


def check(root: Path) -> int:
    """Print what is wrong with the catalogue; 0 when nothing is."""
    path = root / CATALOGUE
    if not path.exists():
        print(f"{CATALOGUE} is missing.")
        return 1
    catalogue = polib.pofile(str(path))
    faults = list(gaps(catalogue))
    if shutil.which("xgettext"):
        faults += drift(catalogue, extract(root))
    else:
        print("NOT CHECKED: whether the catalogue matches the sources (no gettext tools here).")
        if os.environ.get("CI"):
            faults.append("CI needs the gettext tools")
    for fault in faults:
        print(fault)
    print(f"{CATALOGUE}: {len(catalogue)} entries, {len(faults)} faults")
    return 1 if faults else 0


def update(root: Path) -> int:
    """Take new strings into the catalogue and list what waits for a translation."""
    (root / CATALOGUE).parent.mkdir(parents=True, exist_ok=True)
    ignored = [flag for name in (".venv", "var", "tests") for flag in ("-i", name)]
    subprocess.run([sys.executable, "manage.py", *EXTRACT, *ignored], cwd=root, check=True)
    waiting = list(gaps(polib.pofile(str(root / CATALOGUE))))
    print("\n".join([*waiting, f"{len(waiting)} entries wait in {CATALOGUE}"]))
    return 0


def main(command: str) -> int:
    if command == "compile":
        for path in compile_all(ROOT):
            print(f"compiled {path.relative_to(ROOT)}")
        return 0
    return check(ROOT) if command == "check" else update(ROOT)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in {"compile", "update", "check"}:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
