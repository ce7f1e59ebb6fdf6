"""Administrative divisions: names, known codes, areas."""

import pytest

from customers import divisions


@pytest.mark.parametrize(
    ("code", "name", "short"),
    [
        ("330602", "绍兴市 越城区", "越城区"),
        ("330600", "绍兴市", "绍兴市"),
        ("330000", "浙江省", "浙江省"),
        ("110101", "北京市 东城区", "东城区"),
        ("110100", "北京市", "北京市"),
        ("500101", "重庆市 万州区", "万州区"),
        ("441900", "东莞市", "东莞市"),
        ("419001", "济源市", "济源市"),
        ("659001", "石河子市", "石河子市"),
        ("653132", "喀什地区 岑岭县", "岑岭县"),
        ("659013", "草湖市", "草湖市"),
        ("710000", "台湾省", "台湾省"),
        ("810000", "香港特别行政区", "香港特别行政区"),
        ("330699", "绍兴市", "绍兴市"),
        ("990000", "", ""),
        ("", "", ""),
        ("3306", "绍兴市", "绍兴市"),
    ],
)
def test_a_code_has_a_name_without_its_province(code: str, name: str, short: str) -> None:
    assert divisions.name(code) == name
    assert divisions.short_name(code) == short


@pytest.mark.parametrize(
    "code",
    ["330602", "330600", "330000", "110000", "110100", "500200", "441900", "469001", "653132",
     "659013", "710000", "820000"],
)  # fmt: skip
def test_codes_of_today_are_known(code: str) -> None:
    assert divisions.is_known(code)


@pytest.mark.parametrize(
    "code", ["", "33", "3306", "330699", "990000", "330300 ", "abcdef", "３３０６０２", "110300"]
)
def test_other_texts_are_not(code: str) -> None:
    assert not divisions.is_known(code)


def test_the_tree_holds_provinces_with_what_stands_directly_below_them() -> None:
    tree = {area.name: area for area in divisions.tree()}
    assert len(tree) == 34
    zhejiang = [(part.prefix, part.name) for part in tree["浙江省"].parts]
    assert ("3306", "绍兴市") in zhejiang
    assert len(zhejiang) == 11
    assert ("110101", "东城区") in [(part.prefix, part.name) for part in tree["北京市"].parts]
    assert ("419001", "济源市") in [(part.prefix, part.name) for part in tree["河南省"].parts]
    assert ("659013", "草湖市") in [
        (part.prefix, part.name) for part in tree["新疆维吾尔自治区"].parts
    ]
    assert tree["台湾省"].parts == ()


@pytest.mark.parametrize(
    ("words", "prefixes"),
    [
        ("绍兴", ("3306",)),
        ("绍兴市", ("3306",)),
        ("浙江", ("33",)),
        ("北京", ("11",)),
        ("越城区", ("330602",)),
        ("绍兴市 越城区", ("330602",)),
        ("杭州 越城区", ()),
        ("鼓楼区", ("320106", "320302", "350102", "410204")),
        ("福州 鼓楼", ("350102",)),
        ("吉林", ("22", "2202")),
        ("nowhere", ()),
        ("  ", ()),
    ],
)
def test_areas_are_found_by_name(words: str, prefixes: tuple[str, ...]) -> None:
    assert divisions.called(words) == prefixes
