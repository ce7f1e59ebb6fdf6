"""The message catalogues: complete, compiled without gettext tools, and checked."""

from __future__ import annotations

import gettext
from pathlib import Path

import polib
import pytest

from scripts import messages

CATALOGUE = messages.ROOT / messages.CATALOGUE


def test_the_chinese_catalogue_is_complete() -> None:
    assert list(messages.gaps(polib.pofile(str(CATALOGUE)))) == []


def entry(msgid: str, msgstr: str = "", **more: object) -> polib.POFile:
    catalogue = polib.POFile()
    catalogue.append(polib.POEntry(msgid=msgid, msgstr=msgstr, **more))
    return catalogue


@pytest.mark.parametrize(
    ("catalogue", "fault"),
    [
        (entry("Save"), "not translated: 'Save'"),
        (entry("Save", "存", flags=["fuzzy"]), "fuzzy: 'Save'"),
        (entry("%(n)s orders", "%(m)s 单"), "other placeholders"),
        (entry("Hello {name}", "你好"), "other placeholders"),
        (
            entry("%(n)s day", msgid_plural="%(n)s days", msgstr_plural={0: "天"}),
            "other placeholders",
        ),
    ],
)
def test_a_gap_is_named(catalogue: polib.POFile, fault: str) -> None:
    (found,) = messages.gaps(catalogue)
    assert found.startswith(fault)


@pytest.mark.parametrize(
    "catalogue",
    [
        entry("Save", "保存"),
        entry("%(n)s orders", "%(n)s 单"),
        entry("100 %% of %s", "%s 的 100 %%"),
        entry("1 day", msgid_plural="%(n)s days", msgstr_plural={0: "%(n)s 天"}),
    ],
)
def test_a_whole_entry_passes(catalogue: polib.POFile) -> None:
    assert list(messages.gaps(catalogue)) == []


def test_catalogue_and_sources_are_compared_both_ways() -> None:
    found = list(messages.drift(entry("Old", "旧"), entry("New")))
    assert found == ["not in the catalogue: 'New'", "no longer in the sources: 'Old'"]


def test_compiling_needs_no_gettext_tools(tmp_path: Path) -> None:
    folder = tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    catalogue = entry("Save", "保存")
    catalogue.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
    catalogue.save(str(folder / "django.po"))
    (written,) = messages.compile_all(tmp_path)
    with written.open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Save") == "保存"
    assert messages.compile_all(tmp_path) == []  # nothing changed, nothing written
