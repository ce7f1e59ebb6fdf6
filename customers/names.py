"""Names as they are compared and typed: folded to one spelling, and read aloud in pinyin."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencc import OpenCC

#: Said nothing by people who search: brackets, quotes, dots between names, invisible characters.
_SILENT = re.compile(
    "[()\\[\\]{}<>〔〕【】〈〉《》「」『』\"'`´‘’“”·•‧・\u200b-\u200f\u2060\ufeff\u00ad]"
)
_DASHES = re.compile("[‐‑‒–—―−─]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_HAN = "㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff"
#: A space between two Chinese characters says nothing: 绍兴 越州 is 绍兴越州.
_SPACE_IN_CHINESE = re.compile(f"(?<=[{_HAN}]) (?=[{_HAN}])")
_RUN = re.compile(f"[{_HAN}]+|[0-9a-z]+")


def fold(text: str) -> str:
    """`text` in the one spelling that all ways of writing it share.

    Half-width, lower case, simplified characters; single spaces, none between Chinese characters;
    no brackets and quotes. Other signs (% _ & - .) stay as they are.
    """
    if not text.isascii():
        text = _DASHES.sub("-", unicodedata.normalize("NFKC", text))
    text = _SILENT.sub("", _CONTROL.sub(" ", text)).lower()
    text = " ".join(text.split())
    if not text.isascii():
        text = _SPACE_IN_CHINESE.sub("", _converter().convert(text))
    return text


def spelled(name: str) -> tuple[str, str]:
    """Full pinyin and initials of a name: 绿城商贸 gives lvchengshangmao and lcsm.

    Characters are read in their words (重庆 is chongqing, 长沙 is changsha). Letters and digits
    stay as they are; of a name without Chinese characters each word gives its first letter.
    """
    return _joined(_words(fold(name)), _read_word)


def readings(name: str) -> list[tuple[str, str]]:
    """Full pinyin and initials as people may type them, the right one first.

    The second, if any, takes each character by its commonest reading, as many do who do not know
    the place (重庆 as zhongqing), and as the right answer where the words were cut wrongly.
    """
    words = _words(fold(name))
    right = _joined(words, _read_word)
    naive = _joined(words, _read_characters)
    return [right] if naive == right else [right, naive]


def load() -> None:
    """Read the dictionaries now: processes that fork later share their 60 MB."""
    spelled("重慶")


def _words(folded: str) -> list[str]:
    """The words of folded text: Chinese ones as the dictionary of readings cuts them."""
    words: list[str] = []
    for run in _RUN.findall(folded):
        words.extend([run] if run.isascii() else _cut(run))
    return words


def _joined(words: list[str], read: Callable[[str], tuple[str, ...]]) -> tuple[str, str]:
    foreign = all(word.isascii() for word in words)
    full, initials = [], []
    for word in words:
        if word.isascii():
            full.append(word)
            initials.append(word[0] if foreign and word.isalpha() else word)
        else:
            syllables = read(word)
            full.extend(syllables)
            initials.extend(syllable[0] for syllable in syllables)
    return "".join(full), "".join(initials)


@cache
def _converter() -> OpenCC:
    from opencc import OpenCC  # 20 ms and some megabytes: only where a name comes by

    return OpenCC("t2s")


def _cut(run: str) -> list[str]:
    from pypinyin.seg.mmseg import seg  # a dictionary of 47,000 words, 0.3 s

    return list(seg.cut(run))


@lru_cache(maxsize=50_000)
def _read_word(word: str) -> tuple[str, ...]:
    from pypinyin import lazy_pinyin

    return tuple(syllable for syllable in lazy_pinyin(word) if syllable.isascii())


def _read_characters(word: str) -> tuple[str, ...]:
    return tuple(syllable for character in word for syllable in _read_word(character))
