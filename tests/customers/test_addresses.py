"""The division of an address, over a table of hard ones: found, ambiguous or unknown (P1)."""

from __future__ import annotations

import pytest

from customers import divisions
from customers.addresses import NOWHERE, Area, find, settled

#: Addresses as dealers and ERPs write them, and the division that a reader of Chinese would say.
FOUND = [
    ("浙江省绍兴市越城区解放北路12号", "330602"),
    ("浙江绍兴越城区解放北路12号", "330602"),
    ("浙江绍兴越城解放北路", "330602"),
    ("浙江省诸暨市大唐街道", "330681"),
    ("诸暨市大唐街道兴业路", "330681"),
    ("诸暨大唐街道", "330681"),
    ("绍兴诸暨市", "330681"),
    ("绍兴市 诸暨 枫桥镇", "330681"),
    ("徐州鼓楼区中山路", "320302"),
    ("南京市鼓楼区北京西路", "320106"),
    ("福建福州鼓楼五四路", "350102"),
    ("鼓楼区五四路 福州", "350102"),
    ("北京朝阳区建国路93号", "110105"),
    ("长春市朝阳区红旗街", "220104"),
    ("辽宁朝阳双塔区", "211302"),
    ("辽宁省朝阳市朝阳县", "211321"),
    ("朝阳市双塔区", "211302"),
    ("兰州城关区张掖路", "620102"),
    ("拉萨市城关区", "540102"),
    ("上海市黄浦区南京东路300号", "310101"),
    ("上海南京东路300号", "310000"),
    ("上海北京东路100号", "310000"),
    ("上海浦东张江路", "310115"),
    ("浦东新区世纪大道", "310115"),
    ("北京市东城区王府井大街", "110101"),
    ("北京市市辖区海淀区中关村", "110108"),
    ("天津河北区中山路", "120105"),
    ("天津市滨海新区塘沽", "120116"),
    ("重庆万州区", "500101"),
    ("重庆市渝中区解放碑", "500103"),
    ("重庆市忠县", "500233"),
    ("河南省济源市", "419001"),
    ("河南省省直辖县级行政区划济源市沁园路", "419001"),
    ("湖北仙桃市", "429004"),
    ("湖北省神农架林区", "429021"),
    ("海南省琼海市", "469002"),
    ("海南省陵水黎族自治县", "469028"),
    ("海南陵水县", "469028"),
    ("海南海口市龙华区", "460106"),
    ("广东深圳龙华区", "440309"),
    ("新疆石河子市", "659001"),
    ("新疆生产建设兵团第八师石河子市", "659001"),
    ("新疆维吾尔自治区喀什地区喀什市", "653101"),
    ("喀什市人民路", "653101"),
    ("义乌市稠城街道", "330782"),
    ("浙江义乌", "330782"),
    ("江苏昆山市花桥镇", "320583"),
    ("昆山花桥镇", "320583"),
    ("恩施土家族苗族自治州利川市", "422802"),
    ("湖北恩施州恩施市", "422801"),
    ("四川凉山州西昌市", "513401"),
    ("云南大理州大理市", "532901"),
    ("湘西州吉首市", "433101"),
    ("吉林延边州延吉市", "222401"),
    ("浙江景宁县", "331127"),
    ("内蒙古呼和浩特市新城区", "150102"),
    ("内蒙古锡林郭勒盟锡林浩特市", "152502"),
    ("内蒙准格尔旗", "150622"),
    ("西安高新区科技路", "610100"),
    ("西安市高新区", "610100"),
    ("西安市新城区解放路", "610102"),
    ("绍兴市经济技术开发区", "330600"),
    ("绍兴经开区斗门街道", "330600"),
    ("苏州工业园区星湖街", "320500"),
    ("绍兴市袍江经济技术开发区越城区斗门街道", "330602"),
    ("成都高新区天府大道", "510100"),
    ("柯桥", "330603"),
    ("柯桥华舍街道", "330603"),
    ("绍兴柯桥街道", "330600"),
    ("浙江省上虞区", "330604"),
    ("台湾省台北市信义区", "710000"),
    ("台北市信义路", "710000"),
    ("香港九龙尖沙咀", "810000"),
    ("香港特别行政区中西区", "810000"),
    ("澳门特别行政区大堂区", "820000"),
    ("济南市中区经二路", "370103"),
    ("山东济南市中区", "370103"),
    ("乐山市市中区", "511102"),
    ("济南市中心医院", "370100"),
    ("青岛市北区", "370203"),
    ("青岛市南区香港中路", "370202"),
    ("唐山路北区", "130203"),
    ("台州路桥区", "331004"),
    ("台州路桥", "331004"),
    ("哈尔滨道里区中央大街", "230102"),
    ("吉林市船营区", "220204"),
    ("吉林省吉林市", "220200"),
    ("吉林吉林市昌邑区", "220202"),
    ("吉林长春南关", "220102"),
    ("东莞市长安镇", "441900"),
    ("广东东莞虎门镇", "441900"),
    ("中山市小榄镇", "442000"),
    ("杭州西湖大道1号", "330100"),
    ("杭州西湖文三路", "330106"),
    ("杭州市余杭区临平街道", "330110"),
    ("杭州下沙街道", "330100"),
    ("绍兴解放北路", "330600"),
    ("河北省石家庄市长安区", "130102"),
    ("河北省保定市雄县", "130638"),
    ("绍兴市政府", "330600"),
    ("浙江省绍兴市", "330600"),
    ("收货地址：浙江省绍兴市越城区", "330602"),
    ("绍兴越州副食品有限公司 浙江省绍兴市越城区府山街道", "330602"),
    ("越城区府山街道", "330602"),
    ("浙江省-绍兴市-越城区-府山街道", "330602"),
    ("３１２０００ 浙江省绍兴市越城区", "330602"),
    ("中国浙江省绍兴市越城区", "330602"),
    ("浙江省紹興市越城區解放北路", "330602"),
    ("江苏通州区", "320612"),
    ("南昌县莲塘镇", "360121"),
    ("长沙县星沙", "430121"),
    ("西安解放路", "610100"),
    ("三沙市南沙区", "460303"),
    ("广州南沙区", "440115"),
    ("天津市和平区南京路", "120101"),
    ("沈阳和平区南京南街", "210102"),
    ("青海省海南州共和县", "632521"),
    ("甘肃临夏州临夏市", "622901"),
    ("临夏县", "622921"),
    ("河南蒙古族自治县", "632324"),
    ("青海河南县", "632324"),
    ("安徽省合肥市蜀山区长江西路", "340104"),
    ("广西南宁市青秀区", "450103"),
    ("广西壮族自治区桂林市龙胜各族自治县", "450328"),
    ("广西龙胜县", "450328"),
    ("西藏拉萨", "540100"),
    ("山西阳泉城区", "140302"),
    ("上海宝山", "310113"),
]

#: More than one division fits, or one fits by a bare, common or former name only.
AMBIGUOUS = [
    "鼓楼区中山北路1号",
    "江苏省鼓楼区中山北路",
    "朝阳区建国路",
    "朝阳建国路",
    "城关区张掖路",
    "柯桥轻纺城",
    "绍兴县柯桥",
    "浙江省绍兴市绍兴县柯桥镇",
    "上虞市百官街道",
    "阿里巴巴西溪园区",
    "东方明珠大厦",
    "长安区",
    "雄安新区容城",
    "浙江省",
    "浙江某地",
    "通州区",
    "上饶县旭日",
    "宁波江东区",
    "浙江省绍兴市越城区解放路 江苏省南京市玄武区",
    "和平区南京路",
    "城区解放路",
    "宝山区",
    "宝山钢铁厂",
    "普陀区武宁路",
]

#: No division is named, though some of these sound so.
UNKNOWN = [
    "北京东路88号",
    "南京路100号",
    "上海路5号",
    "经开区创业路",
    "高新区科技路1号",
    "No. 12 Jiefang Road, Shaoxing",
    "",
    "中山公园",
    "中山路12号",
    "北海公园东门",
    "绍兴大道1号",
    "义乌市场路",
    "上海市场路5号",
    "   ",
    "大唐街道兴业路5号",
    "府山街道",
    "人民路12号",
    "解放路与中山路交叉口",
    "江苏路18号",
    "和平饭店对面",
    "312000",
    "Zhejiang Shaoxing Yuecheng",
]

#: An address and the divisions offered for it, in this order.
OFFERED = [
    ("鼓楼区中山北路1号", ("320106", "320302", "350102", "410204")),
    ("江苏省鼓楼区中山北路", ("320106", "320302")),
    ("朝阳区建国路", ("110105", "220104")),
    ("绍兴县柯桥街道", ("330603", "330602")),
    ("上虞市百官街道", ("330604",)),
    ("浙江省绍兴市绍兴县柯桥镇", ("330603", "330602")),
    ("柯桥轻纺城", ("330603",)),
]


@pytest.mark.parametrize(("address", "code"), FOUND)
def test_a_division_that_the_words_decide_is_found(address: str, code: str) -> None:
    assert find(address) == (code, (), "address")


@pytest.mark.parametrize("address", AMBIGUOUS)
def test_where_several_or_none_for_sure_fit_candidates_are_given(address: str) -> None:
    found = find(address)
    assert (found.code, found.state) == ("", "ambiguous")
    assert found.candidates
    assert all(divisions.is_known(code) for code in found.candidates)


@pytest.mark.parametrize("address", UNKNOWN)
def test_names_of_roads_places_and_towns_are_no_divisions(address: str) -> None:
    assert find(address) == ("", (), "unknown")


@pytest.mark.parametrize(("address", "candidates"), OFFERED)
def test_the_candidates_are_those_that_fit(address: str, candidates: tuple[str, ...]) -> None:
    assert find(address).candidates == candidates


def test_a_province_alone_offers_its_cities() -> None:
    found = find("浙江省")
    assert len(found.candidates) == 11
    assert found.candidates[0] == "330100"


def _places() -> list[tuple[str, tuple[str, ...]]]:
    prefixes = (prefix for prefix in divisions.all_names() if len(prefix) > 2)
    return [(prefix.ljust(6, "0"), divisions.path(prefix)) for prefix in prefixes]


def test_every_division_of_the_country_is_found_by_its_whole_name() -> None:
    missed = {
        code: found
        for code, path in _places()
        if (found := find(f"{''.join(path)}幸福路5号")).code != code
    }
    assert missed == {}


def test_no_division_is_ever_taken_for_another() -> None:
    """With levels left out and suffixes dropped: the division, one it lies in, or candidates."""
    wrong = {}
    for code, path in _places():
        bare = "".join(name[:-1] if len(name) > 2 else name for name in path)
        for address in (
            f"{path[-1]}幸福路5号",
            f"{bare}幸福镇5号",
            f"{path[0]}{path[-1]}幸福路5号",
        ):
            got = find(address).code
            if got and not code.startswith(got.rstrip("0")):
                wrong[address] = (code, got)
    assert wrong == {}


SHAOXING = "浙江省绍兴市越城区解放北路"
READ = Area("330602", "address", SHAOXING)
GIVEN = Area("330681", "", SHAOXING)
UNCLEAR = Area("", "ambiguous", "鼓楼区中山路")


@pytest.mark.parametrize(
    ("before", "division", "address", "after"),
    [
        # a new file
        (NOWHERE, None, SHAOXING, ("330602", "address")),
        (NOWHERE, "", "鼓楼区中山路", ("", "ambiguous")),
        (NOWHERE, None, "人民路1号", ("", "unknown")),
        (NOWHERE, "330681", SHAOXING, ("330681", "")),
        (NOWHERE, None, "  ", ("", "")),
        # a division that was read follows the address
        (READ, None, SHAOXING, ("330602", "address")),
        (READ, None, "浙江省诸暨市大唐街道", ("330681", "address")),
        (READ, None, "人民路1号", ("", "unknown")),
        (READ, None, "", ("", "")),
        # said again with the same address it is no news; with a new one it is given
        (READ, "330602", SHAOXING, ("330602", "address")),
        (READ, "330602", "浙江省诸暨市大唐街道", ("330602", "")),
        (READ, "330681", SHAOXING, ("330681", "")),
        # one that was given stays until another is given, or a new search is asked for
        (GIVEN, None, "浙江省杭州市西湖区", ("330681", "")),
        (GIVEN, "330602", SHAOXING, ("330602", "")),
        (GIVEN, "", SHAOXING, ("330602", "address")),
        # a person chooses among the candidates
        (UNCLEAR, "320106", UNCLEAR.address, ("320106", "")),
        (UNCLEAR, None, UNCLEAR.address, ("", "ambiguous")),
        (UNCLEAR, None, "南京市鼓楼区中山路", ("320106", "address")),
    ],
)
def test_a_given_division_stands_and_a_missing_one_comes_from_the_address(
    before: Area, division: str | None, address: str, after: tuple[str, str]
) -> None:
    assert settled(before, division=division, address=address) == (*after, address)
