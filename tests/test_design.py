"""The stylesheets keep what the design promises."""

from __future__ import annotations

import re
from pathlib import Path

TOKENS = Path(__file__).resolve().parents[1] / "static" / "css" / "tokens.css"


def test_dark_looks_the_same_whether_the_system_or_the_person_chose_it() -> None:
    text = re.sub(r"/\*.*?\*/", "", TOKENS.read_text("utf-8"), flags=re.DOTALL)
    by_system = re.search(r"prefers-color-scheme:\s*dark\)\s*\{[^{]*\{([^}]*)\}", text)
    by_person = re.search(r'(?:^|\})\s*[^{}@]*\[data-theme="dark"\][^{}]*\{([^}]*)\}', text)
    assert by_system is not None
    assert by_person is not None

    def values(block: str) -> dict[str, str]:
        pairs = (line.split(":", 1) for line in block.split(";") if ":" in line)
        return {name.strip(): value.strip() for name, value in pairs}

    assert values(by_system[1]) == values(by_person[1])
    assert len(values(by_system[1])) > 20
