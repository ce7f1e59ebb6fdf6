"""What strangers and hostile texts try: forged posts, reads that write, markup and formulas in
names, and questions about records out of sight."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone
from openpyxl import load_workbook
from rest_framework.test import APIClient

from accounts.models import AuditEntry, JobRun, JobState, User
from customers.models import (
    Customer,
    DuplicatePair,
    Import,
    Merge,
    Outcome,
    PairState,
    Promise,
    SavedView,
    Supplier,
)
from customers.tasks import run_import
from orders.models import SellOut, StockAdjustment, StockImport, StockLine, StockReport
from tests.factories import (
    make_contact,
    make_customer,
    make_interaction,
    make_key,
    make_order,
    make_promise,
    make_stock_line,
)
from tests.test_architecture import (
    ADDRESSES,
    API,
    OPEN,
    OWNED,
    PRODUCT,
    SHARED,
    address,
    ask,
    records,
)
from tiers.models import (
    Assessment,
    Cause,
    Outlook,
    Scenario,
    TierChange,
    TierOverride,
    TierPolicy,
    TierRun,
)
from visits.models import MarketInformation, Sending, Suggestion

__all__ = ["records"]
MARKUP = "<img src=x onerror=alert(1)>"
FORMULA = '=HYPERLINK("http://example.com","x")'


def reverse_any(name: str) -> str:
    """The address of `name` for whatever record."""
    return reverse(name, kwargs=dict.fromkeys(ADDRESSES[name], 1))


PAGES = sorted(name for name in {*OWNED, *SHARED} if ":" in name)


def counted() -> dict[str, Any]:
    """What a read must leave alone."""
    return {
        "changes": AuditEntry.objects.count(),
        "jobs": JobRun.objects.count(),
        "merges": Merge.objects.count(),
        "views": SavedView.objects.count(),
        "files": list(Customer.objects.order_by("pk").values_list("pk", "version", "owner")),
        "promises": list(Promise.objects.order_by("pk").values_list("pk", "state", "version")),
        "sendings": list(Sending.objects.order_by("pk").values_list("pk", "outcome", "version")),
        "suggestions": list(Suggestion.objects.order_by("pk").values_list("pk", "state")),
        "pairs": list(DuplicatePair.objects.order_by("pk").values_list("pk", "state")),
        "imports": list(Import.objects.order_by("pk").values_list("pk", "state")),
        "stock": [
            list(model._default_manager.order_by("pk").values_list("pk"))
            for model in (StockReport, StockLine, SellOut, StockAdjustment, StockImport)
        ],
    }


@pytest.mark.parametrize("name", sorted(set(PRODUCT) - {"account_logout"}))
def test_no_read_changes_a_record(name: str, records, administrator: User) -> None:
    url = address(name, records)
    client = Client()
    client.force_login(administrator)
    before = counted()
    for method in ("get", "head"):
        ask(client, method, url)
    assert counted() == before


@pytest.mark.parametrize(
    "name", sorted(name for name in set(PRODUCT) - OPEN if not name.startswith("api"))
)
def test_no_post_without_its_token_changes_a_record(name: str, records, rep: User) -> None:
    url = address(name, records)
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(rep)
    before = counted()
    answer = client.post(url, {"confirmed": "1"})
    assert answer.status_code in {403, 404, 405}, answer.status_code
    assert counted() == before


@pytest.fixture
def hostile(records, rep: User) -> dict[str, Any]:
    """Markup in every text that people type, all of it on one file and in one import."""
    customer = records["customer"]
    other = make_customer(owner=rep, name=f"{MARKUP}2", phone="+8613800001234")
    for one, name in ((customer, MARKUP), (other, other.name)):
        one.name, one.address, one.tags = name, MARKUP, [MARKUP]
        one.custom = {MARKUP: MARKUP}
        one.save()
    records["pair"].second.name = MARKUP
    records["pair"].second.save()
    contact = records["contact"]
    contact.name, contact.title, contact.likes, contact.wechat = (MARKUP,) * 4
    contact.save()
    for name in ("stock_report", "adjustment", "stock_import"):
        one = records[name]
        one.note = one.name = MARKUP
        one.save()
    make_stock_line(records["stock_report"], records["product"], 1, batch=MARKUP)
    make_contact(customer, name=MARKUP)
    make_promise(customer, rep, content=MARKUP)
    make_interaction(customer, rep, words=MARKUP)
    records["promise"].content = MARKUP
    records["promise"].save()
    information, sending = records["information"], records["sending"]
    information.title = information.text = information.where = MARKUP
    information.tags = information.categories = [MARKUP]
    information.save()
    sending.note = sending.outcome_words = MARKUP
    sending.save()
    suggestion = records["suggestion"]
    suggestion.text = suggestion.expected = suggestion.outcome_words = MARKUP
    suggestion.save()
    Supplier.objects.create(customer=customer, name=MARKUP, supplies=MARKUP)
    SavedView.objects.create(owner=rep, name=MARKUP, query=f"tag={MARKUP}", shared=True)
    client = Client()
    client.force_login(rep)
    sheet = f"客户名称,电话,{MARKUP}\n{MARKUP}3,123,{MARKUP}\n".encode()
    file = SimpleUploadedFile(f"{MARKUP}.csv", sheet)
    assert client.post(reverse("customers:imports"), {"file": file}).status_code == 302
    uploaded = Import.objects.latest("pk")
    checked = Import.objects.create(
        by=rep, name=uploaded.name, file=uploaded.file.name, table=uploaded.table,
        columns=uploaded.columns, mapping=uploaded.mapping, key="name", state="uploaded",
        created_at=uploaded.created_at,
    )  # fmt: skip
    client.post(
        reverse("customers:import-map", args=[checked.pk]),
        {"column_0": "name", "column_1": "phone", "column_2": "custom", "key": "name",
         "mode": "both"},
    )  # fmt: skip
    for job in JobRun.objects.filter(state=JobState.QUEUED, kind="import"):
        run_import(job_id=job.pk)
    return {**records, "other": other, "uploaded": uploaded, "checked": checked}


def test_markup_in_names_stays_text_on_every_page(hostile, manager: User) -> None:
    client = Client()
    client.force_login(manager)
    query = f"q={MARKUP}&tag={MARKUP}&customer={MARKUP}&kind={MARKUP}&giver={MARKUP}"
    urls = [address(name, hostile) for name in PRODUCT if ":" in name or name in {"home", "search"}]
    urls += [
        reverse("customers:import", args=[hostile["uploaded"].pk]),
        reverse("customers:import", args=[hostile["checked"].pk]),
        f"{reverse('customers:merge', args=[hostile['customer'].pk])}?with={hostile['other'].pk}",
        f"{reverse('customers:alike')}?name={MARKUP}2&phone=13800001234",
        f"{reverse('customers:log-interaction')}?customer={hostile['customer'].pk}",
    ]
    seen = 0
    for url in [*urls, *(f"{url.split('?')[0]}?{query}" for url in urls)]:
        for headers in ({}, {"HX-Request": "true"}):
            answer = client.get(url, headers=headers)
            if answer.streaming or "html" not in answer.get("Content-Type", ""):
                continue
            page = answer.content.decode()
            assert MARKUP not in page, url
            seen += "&lt;img" in page
    assert seen > 20


def table(answer: Any) -> list[list[str]]:
    data = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


def test_p7_no_export_holds_a_formula(hostile, manager: User, rep: User) -> None:
    """Neither in a name nor in the head of a column that somebody else's file brought along."""
    Customer.objects.all().update(name=FORMULA, address=FORMULA)
    Promise.objects.update(content=FORMULA)
    MarketInformation.objects.update(title=FORMULA, text=FORMULA, where=FORMULA)
    Sending.objects.update(note=FORMULA, outcome_words=FORMULA)
    Suggestion.objects.update(text=FORMULA, expected=FORMULA, outcome_words=FORMULA)
    run = hostile["checked"]
    run.columns = [{**column, "head": FORMULA} for column in run.columns]
    run.save()
    run.rows.update(cells=[FORMULA, FORMULA, FORMULA])
    client = Client()
    client.force_login(manager)
    urls = [address(name, hostile) for name in PRODUCT if ":" in name]
    urls = [url for url in urls if hasattr(resolve(url.split("?")[0]).func, "table")]
    assert len(urls) > 15
    urls.append(reverse("customers:import-rejected", args=[run.pk]))
    for url in urls:
        rows = table(client.get(url, {"format": "csv"}))
        assert rows, url
        wild = [cell for row in rows for cell in row if cell.startswith(tuple("=+-@\t\r＝＋－＠"))]
        assert not wild, (url, wild)


@pytest.fixture
def tiered(records: dict[str, Any], rep: User) -> dict[str, Any]:
    """Formulas in every text that stands beside a tier, and each list of tiers with a row."""
    now, today = timezone.now(), timezone.localdate()
    customer, override = records["customer"], records["override"]
    make_order(customer, 900, ordered_at=now - timedelta(days=5))
    Customer.objects.update(name=FORMULA, net_amount=900, abc="A", created_at=now)
    User.objects.filter(pk=rep.pk).update(name=FORMULA)
    TierPolicy.objects.update(name=FORMULA)
    TierOverride.objects.update(reason=FORMULA)
    Scenario.objects.update(name=FORMULA)
    TierRun.objects.update(requested_by=rep, as_of=today)
    Assessment.objects.filter(customer=customer).update(
        held_runs=1, held_tier="C", held_since=today, held_on=today, key_score=90, potential=90
    )
    for name in ("run", "trial"):
        TierChange.objects.create(
            run=records[name], changed_at=now, customer=customer, recorded_for=customer.pk,
            cause=Cause.OVERRIDE, override=override, to_tier="A", net_amount=900, net_before=1,
            ranked=0, ranked_in="-",
        )  # fmt: skip
    Outlook.objects.update(alive=0.1)
    return records


#: What an export of tiers has to be asked for, to have rows with texts that people typed.
ASKED = {
    "tiers:question-customers-export": {"of": "buyers"},
    "tiers:key-accounts-export": {"state": "all"},
    "tiers:overrides-export": {"state": "all"},
}
#: Exports of tiers that hold figures alone.
FIGURES = {"tiers:questions-export", "tiers:leaving-trend-export"}
TIER_TABLES = [
    name
    for name in PRODUCT
    if name.startswith("tiers:") and hasattr(resolve(reverse_any(name)).func, "table")
]


@pytest.mark.parametrize("name", TIER_TABLES)
def test_p12_no_export_of_tiers_holds_a_formula(name: str, tiered, director: User) -> None:
    client = Client()
    client.force_login(director)
    url = address(name, tiered)
    for more in ({}, {"as_of": timezone.localdate().isoformat()}):
        asked = {"format": "csv", **ASKED.get(name, {}), **more}
        rows = table(client.get(url, asked))
        cells = [cell for row in rows for cell in row]
        assert not [cell for cell in cells if cell.startswith(tuple("=+-@\t\r＝＋－＠"))]
        assert name in FIGURES or any(FORMULA in cell for cell in cells), rows


def test_p5_a_likeness_out_of_sight_tells_its_owner_and_nothing_else(
    records, rep: User, stranger: User
) -> None:
    theirs = make_customer(
        owner=rep, name="绍兴天姥山茶业有限公司", phone="+8613900004321",
        address="浙江省绍兴市新昌县人民路18号", tax_id="91330624MA29ABCD1X",
    )  # fmt: skip
    client = Client()
    client.force_login(stranger)
    asked = {
        "name": "天姥山茶业", "phone": "139 0000 4321", "tax_id": theirs.tax_id,
    }  # fmt: skip
    page = client.get(reverse("customers:alike"), asked).content.decode()
    assert rep.display_name in page
    for secret in (
        theirs.name,
        theirs.address,
        str(theirs.external_id),
        f"/{theirs.pk}/",
        "人民路",
    ):
        assert secret not in page
    made = client.post(
        reverse("customers:new"), {**asked, "kind": "dealer", "status": "prospect"}
    ).content.decode()
    for secret in (theirs.name, theirs.address, str(theirs.external_id), f"/{theirs.pk}/"):
        assert secret not in made


def test_a_file_names_neither_supplier_nor_group_head_out_of_sight(
    records, rep: User, stranger: User
) -> None:
    head = make_customer(owner=rep, name="绍兴隐名集团有限公司", external_id="SECRET-1")
    own = make_customer(owner=stranger, parent=head, group_head=head, name="Mine")
    client = Client()
    client.force_login(stranger)
    for name in ("detail", "file", "network", "edit", "log", "contacts", "timeline"):
        page = client.get(reverse(f"customers:{name}", args=[own.pk])).content.decode()
        assert head.name not in page, name
        assert "SECRET-1" not in page, name
    _key, secret = make_key(stranger, scopes=["customers:read"])
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    for url in (
        f"{API}customers/{own.pk}/",
        f"{API}customers/{own.pk}/network/",
        f"{API}customers/",
    ):
        # The number stays, so that what was read can be sent back; the name does not.
        assert head.name not in api.get(url).content.decode(), url
    for query in (f"under={head.pk}", f"in_group={head.pk}"):
        for url in (f"{API}customers/?{query}", f"{reverse('customers:list')}?{query}"):
            answer = (api if url.startswith(API) else client).get(url).content.decode()
            assert "Mine" not in answer, url


def test_no_list_of_the_api_breaks_or_tells_a_stranger_more(records, stranger: User) -> None:
    client = APIClient()
    client.force_login(stranger)
    customer = records["customer"]
    for number in (customer.pk, "x", "1e9", "9" * 30, "-1", "%00"):
        for tail in ("", "timeline/", "stats/", "network/", "profile/"):
            answer = client.get(f"{API}customers/{number}/{tail}")
            assert answer.status_code == 404, (number, tail, answer.status_code)
        answer = client.post(
            f"{API}customers/{number}/merge/", {"into": customer.pk}, format="json"
        )
        assert answer.status_code == 404, (number, answer.status_code)
    mine = make_customer(owner=stranger)
    for into in (customer.pk, records["merge"].gone_id, 10**30, "x", None):
        answer = client.post(f"{API}customers/{mine.pk}/merge/", {"into": into}, format="json")
        assert answer.status_code in {400, 404}, (into, answer.status_code)
        assert customer.name not in answer.content.decode()


def test_a_stranger_moves_nothing_by_the_bulk_of_numbers(
    records, stranger: User, rep: User
) -> None:
    client = Client()
    client.force_login(stranger)
    mine, theirs = make_customer(owner=stranger), records["customer"]
    data = {"do": "tag", "tag": "taken", "ids": [mine.pk, theirs.pk]}
    client.post(reverse("customers:bulk"), data)
    theirs.refresh_from_db()
    mine.refresh_from_db()
    assert (mine.tags, theirs.tags) == (["taken"], [])
    assert (
        client.post(
            reverse("customers:bulk"), {**data, "do": "assign", "to": stranger.pk}
        ).status_code
        == 403
    )
    answer = client.post(reverse("customers:bulk"), {"do": "export", "ids": [mine.pk, theirs.pk]})
    file = load_workbook(io.BytesIO(answer.getvalue()))
    assert file.active is not None
    said = [str(cell) for row in file.active.iter_rows(values_only=True) for cell in row]
    assert mine.name in said
    assert theirs.name not in said
    view = SavedView.objects.create(owner=rep, name="Private", query="q=secret")
    for name in ("view", "view-delete"):
        assert (
            client.post(reverse(f"customers:{name}", args=[view.pk]), {"name": "x"}).status_code
            == 404
        )
    shared = records["view"]
    assert client.post(reverse("customers:view-delete", args=[shared.pk])).status_code == 403
    assert "Private" not in client.get(reverse("customers:list")).content.decode()
    assert DuplicatePair.objects.get(pk=records["pair"].pk).state == PairState.OPEN


def test_p7_a_preview_hides_what_a_file_said_once_it_is_out_of_sight(
    records, rep: User, stranger: User
) -> None:
    run, customer = records["import"], records["customer"]
    run.rows.create(
        number=99, cells=["x"], outcome=Outcome.UPDATE, values={"address": "new street 1"},
        before={"address": "old street 1"}, customer_id=customer.pk,
    )  # fmt: skip
    url = f"{reverse('customers:import', args=[run.pk])}?rows=update"
    client = Client()
    client.force_login(rep)
    assert "old street 1" in client.get(url).content.decode()
    Customer.objects.filter(pk=customer.pk).update(owner=stranger)
    page = client.get(url).content.decode()
    assert "old street 1" not in page
    assert customer.name not in page
