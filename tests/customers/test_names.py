"""Folding names to one spelling and reading them in pinyin: tables without a database."""

from __future__ import annotations

import pytest

from customers.names import fold, readings, spelled


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("紹興越州副食品有限公司", "绍兴越州副食品有限公司"),
        ("绍兴　越州 商行", "绍兴越州商行"),
        ("越州（总店）", "越州总店"),
        ("“越州”·商行", "越州商行"),
        ("ＡＢＣ　Ｆｏｏｄｓ  Ltd", "abc foods ltd"),
        ("７－１１便利店", "7-11便利店"),
        ("abc 绍兴", "abc 绍兴"),
        ("100%_\\&-.", "100%_\\&-."),
        ("一\u200b二\x00三", "一二三"),
        ("\ud800", ""),
        ("", ""),
    ],
)
def test_all_ways_of_writing_a_name_fold_to_one(written: str, folded: str) -> None:
    assert fold(written) == folded
    assert fold(folded) == folded


@pytest.mark.parametrize(
    ("name", "full", "initials"),
    [
        ("绿城商贸", "lvchengshangmao", "lcsm"),
        ("重庆长沙商行", "chongqingchangshashanghang", "cqcssh"),
        ("重慶銀行", "chongqingyinhang", "cqyh"),
        ("锦澜ABC纺织", "jinlanabcfangzhi", "jlabcfz"),
        ("7-11便利店", "711bianlidian", "711bld"),
        ("Green City Trading 24", "greencitytrading24", "gct24"),
        ("（）", "", ""),
    ],
)
def test_names_are_read_in_pinyin(name: str, full: str, initials: str) -> None:
    assert spelled(name) == (full, initials)


def test_a_character_with_two_readings_is_found_by_the_common_one_too() -> None:
    assert readings("重庆银行") == [("chongqingyinhang", "cqyh"), ("zhongqingyinxing", "zqyx")]
    assert readings("绍兴") == [("shaoxing", "sx")]
