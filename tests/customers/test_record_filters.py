"""Lists of pairs, merges and hand-overs: narrowed by person and day, and taken away (P5, P6)."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import User
from accounts.roles import Role
from customers.merging import merge
from customers.models import HandOver, Merge
from customers.unmerging import undo
from tests.factories import local, make_customer, make_pair, make_team, make_user

pytestmark = pytest.mark.django_db
NOW = local(2026, 6, 16, 12)


def table(answer: Any) -> list[list[str]]:
    """The rows of a CSV file, with its head."""
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def names(rows: list[list[str]], column: str) -> list[str]:
    at = rows[0].index(column)
    return [row[at] for row in rows[1:]]


# --- pairs


@pytest.fixture
def pairs(rep: User, stranger: User) -> None:
    """Three pairs: one of the rep's, one of the stranger's, one of both; found on three days."""
    for number, (one, other) in enumerate(((rep, rep), (stranger, stranger), (rep, stranger))):
        make_pair(
            make_customer(owner=one, name=f"{number} a"),
            make_customer(owner=other, name=f"{number} b"),
            score=90 - number,
            found_at=NOW + timedelta(days=number),
        )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["0 a", "1 a", "2 a"]),
        ("owner=rep", ["0 a", "2 a"]),
        ("owner=stranger", ["1 a", "2 a"]),
        ("team=NORTH", ["0 a", "2 a"]),
        ("on_from=2026-06-17", ["1 a", "2 a"]),
        ("on_to=2026-06-17", ["0 a", "1 a"]),
        ("on_from=2026-06-17&on_to=2026-06-17&owner=stranger", ["1 a"]),
        ("owner=nobody", []),
        ("state=dismissed", []),
        ("state=nonsense", ["0 a", "1 a", "2 a"]),
    ],
)
def test_p5_pairs_are_narrowed_on_the_page_and_in_the_file(
    as_, director: User, north, pairs, query: str, found: list[str]
) -> None:
    query = query.replace("NORTH", str(north.pk))
    client = as_(director)
    page = client.get(f"/customers/duplicates/?{query}")
    assert [pair.first.name for pair, _reasons in page.context["rows"]] == found
    rows = table(client.get(f"/customers/duplicates/export/?{query}&format=csv"))
    assert names(rows, "First file: Name") == found


def test_p5_the_file_of_pairs_holds_what_the_reader_sees_and_no_formula(as_, rep, stranger) -> None:
    seen = make_customer(owner=rep, name="=1+1", phone="+8613800000000", address="人民路1号")
    make_pair(seen, make_customer(owner=rep, name="Mine"))
    make_pair(seen, make_customer(owner=stranger, name="Secret shop", phone="+8613911112222"))
    answer = as_(rep).get("/customers/duplicates/export/")
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    rows = [list(row) for row in sheet.values]
    assert len(rows) == 2
    cells = dict(zip(rows[0], rows[1], strict=True))
    assert cells["First file: Name"] == "'=1+1"
    assert cells["First file: Phone"] == "138 0000 0000"
    assert cells["What speaks for it"] == "same name, same phone"
    assert cells["Likeness"] == 80
    assert "Secret" not in str(rows)


def test_nothing_fits_says_so_and_leads_back(as_, director: User, pairs) -> None:
    page = as_(director).get("/customers/duplicates/?on_from=2030-01-01").content.decode()
    assert "No pair fits these filters" in page
    wrong = as_(director).get("/customers/duplicates/?on_from=0001-01-01").content.decode()
    assert 'role="alert"' in wrong


# --- merges


@pytest.fixture
def merges(rep: User, stranger: User) -> list[Merge]:
    made = []
    for number, owner in enumerate((rep, stranger, rep)):
        gone = make_customer(owner=owner, name=f"Gone {number}", tax_id="SECRET-TAX")
        into = make_customer(owner=owner, name=f"Stays {number}", external_id=f"E-{number}")
        made.append(
            merge(gone_id=gone.pk, into_id=into.pk, by=owner, now=NOW + timedelta(days=number))
        )
    undo(merge_id=made[2].pk, by=rep, now=NOW + timedelta(days=5))
    return made


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Gone 2", "Gone 1", "Gone 0"]),
        ("state=merged", ["Gone 1", "Gone 0"]),
        ("state=undone", ["Gone 2"]),
        ("owner=rep", ["Gone 2", "Gone 0"]),
        ("team=NORTH", ["Gone 2", "Gone 0"]),
        ("on_from=2026-06-17", ["Gone 2", "Gone 1"]),
        ("on_to=2026-06-16", ["Gone 0"]),
    ],
)
def test_p5_merges_are_narrowed_on_the_page_and_in_the_file(
    as_, director: User, north, merges, query: str, found: list[str]
) -> None:
    query = query.replace("NORTH", str(north.pk))
    client = as_(director)
    page = client.get(f"/customers/merges/?{query}")
    assert [one.gone_name for one in page.context["rows"]] == found
    rows = table(client.get(f"/customers/merges/export/?{query}&format=csv"))
    assert names(rows, "Went") == found
    assert "SECRET-TAX" not in str(rows)


def test_p5_merges_out_of_sight_stay_out_of_the_file(as_, rep: User, merges) -> None:
    rows = table(as_(rep).get("/customers/merges/export/?format=csv"))
    assert names(rows, "Went") == ["Gone 2", "Gone 0"]
    assert names(rows, "State") == ["taken back", "merged"]
    assert names(rows, "Taken back") == ["2026-06-21 12:00:00", ""]


# --- hand-overs


@pytest.fixture
def handed(rep: User, manager: User, stranger: User) -> list[HandOver]:
    heir = make_user("heir", role=Role.REP, team=make_team(name="East"))
    return [
        HandOver.objects.create(
            giver=giver, successor=heir, by=manager, at=NOW + timedelta(days=number), count=number
        )
        for number, giver in enumerate((rep, stranger, rep))
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [2, 1, 0]),
        ("person=rep", [2, 0]),
        ("person=heir", [2, 1, 0]),
        ("team=NORTH", [2, 0]),
        ("on_from=2026-06-17&on_to=2026-06-17", [1]),
        ("state=undone", [0]),
        ("state=stands", [2, 1]),
    ],
)
def test_p6_hand_overs_are_narrowed_on_the_page_and_in_the_file(
    as_, director: User, north, handed, query: str, found: list[int]
) -> None:
    one = handed[0]
    one.undone_at, one.undone_by, one.undone_count = NOW, director, 7
    one.save()
    query = query.replace("NORTH", str(north.pk))
    client = as_(director)
    page = client.get(f"/customers/hand-over/past/?{query}")
    assert [row.count for row in page.context["page"].rows] == found
    rows = table(client.get(f"/customers/hand-over/past/export/?{query}&format=csv"))
    assert names(rows, "Customers") == [str(count) for count in found]
    if 0 in found:
        assert names(rows, "Went back")[-1] == "7"


def test_p6_who_has_left_is_still_among_the_people_to_look_for(as_, manager, rep, handed) -> None:
    rep.is_active = False
    rep.save()
    page = as_(manager).get("/customers/hand-over/past/?person=rep")
    assert [row.count for row in page.context["page"].rows] == [2, 0]


def test_p6_hand_overs_between_others_stay_out_of_the_file(as_, manager: User, handed) -> None:
    answer = as_(manager).get("/customers/hand-over/past/export/?format=csv")
    assert names(table(answer), "From") == ["Rep", "Rep"]
    assert as_(handed[0].giver).get("/customers/hand-over/past/").status_code == 403


@pytest.mark.parametrize(
    ("url", "most"),
    [("duplicates", 10), ("merges", 8), ("hand-overs", 8)],
)
def test_more_rows_cost_no_more_statements(
    as_, director: User, pairs, merges, handed, url: str, most: int,
    django_assert_max_num_queries,
) -> None:  # fmt: skip
    client = as_(director)
    client.get(reverse(f"customers:{url}"))
    with django_assert_max_num_queries(most):
        client.get(reverse(f"customers:{url}"))
