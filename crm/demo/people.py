"""Who works at the demo company: the teams, the reps, and one login for every role."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password

from accounts.models import Team, User
from accounts.roles import Role
from crm.demo.writing import Writer

#: What the demo company is called, where COMPANY_NAME says nothing.
COMPANY = "云岭食品"
#: The password of every demo login. It is public: a database with real customers never has it.
PASSWORD = "yunling-demo"  # noqa: S105  # meant to be read

#: One login per role that signs in to pages: (role, username, name).
LOGINS: list[tuple[str, str, str]] = [
    (Role.REP, "chenli", "陈立"),
    (Role.MANAGER, "zhoumin", "周敏"),
    (Role.DIRECTOR, "guwenbo", "顾文博"),
    (Role.SERVICE, "shenjiayi", "沈佳怡"),
    (Role.FINANCE, "jiangyun", "蒋芸"),
    (Role.COMPLIANCE, "hetao", "何涛"),
    (Role.ADMINISTRATOR, "luxin", "陆欣"),
]
#: The account that API keys of the ERP act for; it has no password.
INTEGRATION = ("erp", "ERP 接口")

REGION = "华东大区"
#: team → (its manager, its reps); the first rep of the first team is the demo login.
TEAMS: dict[str, tuple[tuple[str, str], list[tuple[str, str]]]] = {
    "浙北": (
        ("zhoumin", "周敏"),
        [
            ("chenli", "陈立"),
            ("sunhao", "孙浩"),
            ("linxiaowei", "林小薇"),
            ("zhengnan", "郑楠"),
            ("wudi", "吴迪"),
            ("qianxiaodong", "钱晓东"),
        ],
    ),
    "苏南": (
        ("xuguohua", "许国华"),
        [("xujing", "徐静"), ("majun", "马俊"), ("huanglei", "黄蕾")],
    ),
    "皖中": (
        ("fangzhiyuan", "方志远"),
        [("heyong", "何勇"), ("wangyang", "汪洋"), ("chengxiaoyan", "程晓燕")],
    ),
}
REGION_MANAGER = ("qinlan", "秦岚")
#: The usernames of the twelve reps.
REPS = tuple(username for _manager, reps in TEAMS.values() for username, _name in reps)


@dataclass(frozen=True, slots=True)
class Staff:
    """The ids of the people other parts of the demo need: reps by username, in order."""

    reps: dict[str, int]
    service: int
    integration: int


def usernames(extra_reps: Iterable[tuple[str, str, str]] = ()) -> set[str]:
    """Every username that loading the demo takes."""
    names = {username for _role, username, _name in LOGINS}
    names |= {INTEGRATION[0], REGION_MANAGER[0]}
    for manager, reps in TEAMS.values():
        names |= {manager[0], *(username for username, _name in reps)}
    return names | {username for _team, username, _name in extra_reps}


def write_people(
    writer: Writer,
    *,
    seed: int,
    joined_at: datetime,
    more_reps: Iterable[tuple[str, str, str]] = (),
) -> Staff:
    """Write the teams and the people; `more_reps` are (team, username, name) beside the twelve.

    One hash serves all logins, salted from the seed, so that the same seed gives the same rows and
    the loading does not hash two dozen times. Signing in replaces it by a hash of its own.
    """
    password = make_password(PASSWORD, salt=f"yunlingdemo{seed:020d}")
    people: list[tuple[str, str, str, str | None]] = [
        (Role.MANAGER, *REGION_MANAGER, REGION),
        *(
            (role, username, name, None)
            for role, username, name in LOGINS
            if role not in {Role.REP, Role.MANAGER}
        ),
    ]
    for team, (manager, reps) in TEAMS.items():
        people.append((Role.MANAGER, *manager, team))
        people += [(Role.REP, username, name, team) for username, name in reps]
    people += [(Role.REP, username, name, team) for team, username, name in more_reps]
    people.append((Role.INTEGRATION, *INTEGRATION, None))

    first_team, first_user = writer.next_id(Team), writer.next_id(User)
    names = [REGION, *dict.fromkeys(team for *_rest, team in people if team and team != REGION)]
    team_ids = {name: first_team + i for i, name in enumerate(names)}
    user_ids = {username: first_user + i for i, (_r, username, _n, _t) in enumerate(people)}
    leaders = {REGION: REGION_MANAGER[0]} | {team: TEAMS[team][0][0] for team in TEAMS}

    # A team names its manager and a person the team: the managers are set when both are there.
    writer.write(
        Team,
        ("id", "name", "parent_id", "created_at", "updated_at"),
        (
            (pk, name, None if name == REGION else team_ids[REGION], joined_at, joined_at)
            for name, pk in team_ids.items()
        ),
    )
    writer.write(
        User,
        (
            "id", "username", "name", "email", "role", "team_id", "password", "phone",
            "date_joined", "created_at", "updated_at",
        ),
        (
            (
                user_ids[username],
                username,
                name,
                f"{username}@yunling.example",
                role,
                team_ids[team] if team else None,
                "!" if role == Role.INTEGRATION else password,
                "",
                joined_at,
                joined_at,
                joined_at,
            )
            for role, username, name, team in people
        ),
    )  # fmt: skip
    for team, username in leaders.items():
        Team.objects.filter(pk=team_ids[team]).update(manager=user_ids[username])
    return Staff(
        reps={u: user_ids[u] for role, u, _name, _team in people if role == Role.REP},
        service=user_ids[next(u for role, u, _n in LOGINS if role == Role.SERVICE)],
        integration=user_ids[INTEGRATION[0]],
    )
