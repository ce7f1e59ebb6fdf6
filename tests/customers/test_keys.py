"""Keys of names, phones and addresses: what meets, and what stays apart (P5)."""

from __future__ import annotations

import pytest

from customers.keys import address_key, name_key, phone_key, split_name_key


@pytest.mark.parametrize(
    "names",
    [
        [
            "绍兴越州副食品有限公司",
            "越州副食品(绍兴)",
            "越州副食品（绍兴市）商行",
            "浙江省绍兴市越州副食品有限责任公司",
            "紹興越州副食品股份有限公司",
            "绍兴 越州·副食品 有限公司",
            "绍兴越州副食品（集团）有限公司",
            "【绍兴】越州副食品经营部",
        ],
        ["柯桥永泰商行", "绍兴柯桥永泰", "浙江绍兴柯桥永泰经营部", "永泰（柯桥区）"],
        ["世纪联华超市(柯桥店)", "世纪联华超市柯桥店", "世纪联华超市柯桥分店"],
        ["越州副食品有限公司柯桥分公司", "越州副食品（柯桥分公司）"],
        [
            "Acme Foods Co., Ltd.",
            "ACME FOODS Inc",
            "The Acme Foods Company",
            "Ａｃｍｅ Foods Limited",
        ],
        ["可口可乐（中国）有限公司", "可口可乐有限公司"],
        ["绍兴粮油有限公司", "绍兴市粮油商行"],
        ["德润食品批发部", "德润食品批发商行", "德润食品批发"],
    ],
)
def test_spellings_of_one_name_meet(names: list[str]) -> None:
    assert len({name_key(name) for name in names}) == 1, [name_key(name) for name in names]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("绍兴永泰", "柯桥永泰"),
        ("绍兴永泰粮油", "绍兴永泰食品"),
        ("恒信粮油商行", "恒泰粮油商行"),
        ("世纪联华超市(柯桥店)", "世纪联华超市(越城店)"),
        ("华联超市1店", "华联超市2店"),
        ("恒信（沈美凤）商行", "恒信（王建国）商行"),
        ("Acme Foods Ltd", "Acme Tools Ltd"),
    ],
)
def test_different_firms_stay_apart(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@pytest.mark.parametrize(
    ("name", "core", "place", "branch"),
    [
        ("绍兴越州副食品有限公司", "越州副食品", "绍兴", ""),
        # 永泰 is also a county in Fujian, not below Shaoxing.
        ("绍兴永泰商行", "永泰", "绍兴", ""),
        # A place and a trade is all there is: then the place is the name.
        ("绍兴市粮油有限公司", "绍兴粮油", "", ""),
        ("世纪联华超市（柯桥店）", "世纪联华超市", "", "柯桥"),
        ("老王", "老王", "", ""),
        ("公司", "公司", "", ""),
        ("（）", "", "", ""),
        ("", "", "", ""),
        ("，。！", "", "", ""),
    ],
)
def test_a_name_has_a_core_a_place_and_a_branch(name, core, place, branch) -> None:
    assert split_name_key(name_key(name)) == (core, place, branch)


@pytest.mark.parametrize(
    ("phone", "key"),
    [
        ("13800000000", "13800000000"),
        ("+86 138 0000 0000", "13800000000"),
        ("0086-13800000000", "13800000000"),
        ("１３８００００００００", "13800000000"),
        ("138-0000-0000 / 13900000000", "13800000000"),
        ("13800000000 张三", "13800000000"),
        ("0575-85123456", "57585123456"),
        ("(0575)85123456", "57585123456"),
        ("+8657585123456", "57585123456"),
        ("0575-85123456转801", "57585123456"),
        ("0575-85123456-801", "57585123456"),
        ("400-800-1234", "4008001234"),
        ("+1 415 555 0100", "+14155550100"),
        ("12345", ""),
        ("none", ""),
        ("", ""),
    ],
)
def test_a_phone_is_its_national_digits(phone: str, key: str) -> None:
    assert phone_key(phone) == key


@pytest.mark.parametrize(
    "addresses",
    [
        [
            "浙江省绍兴市越城区解放北路123号2幢501室",
            "绍兴市解放北路123号2号楼501",
            "解放北路一百二十三号二幢五〇一室",
            "越城区解放北路１２３号2栋501室",
            "绍兴 越城 解放北路 123 号 2 座 501",
        ],
        ["柯桥区柯岩街道鉴湖路88号", "柯桥鉴湖路88号", "鉴湖路88号（新华书店对面）"],
        ["福全镇容山村12号", "浙江绍兴柯桥区福全镇容山村12号", "容山村12号"],
        ["中兴中路288号现代大厦B座12F", "绍兴市越城区中兴中路288号B座12楼"],
        ["人民中路12-3号", "人民中路12号附3"],
    ],
)
def test_spellings_of_one_address_meet(addresses: list[str]) -> None:
    assert len({address_key(one) for one in addresses}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("解放北路123号", "解放北路132号"),
        ("解放北路123号2幢", "解放北路123号3幢"),
        ("解放北路12号", "人民北路12号"),
        ("中山路5号", "中兴路5号"),
    ],
)
def test_different_houses_stay_apart(one: str, other: str) -> None:
    assert address_key(one) != address_key(other)


@pytest.mark.parametrize("address", ["", "解放路", "绍兴市越城区", "—"])
def test_half_a_city_is_no_address(address: str) -> None:
    assert address_key(address) == ""


@pytest.mark.parametrize("text", ["", " ", "@#", "\x00", "a" * 900, "绍" * 900, "1" * 900, "(((("])
def test_nothing_breaks_a_key(text: str) -> None:
    for key, most in ((name_key, 200), (phone_key, 32), (address_key, 300)):
        assert len(key(text)) <= most
