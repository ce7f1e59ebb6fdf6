"""The pages of imports: who may, what is said, what is never written (P7)."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from openpyxl import Workbook, load_workbook

from accounts import jobs
from accounts.models import AuditEntry, User
from accounts.roles import Role
from customers import cards
from customers.importing import applying, steps
from customers.models import ColumnMapping, Contact, Customer, Import, ImportState, Outcome, Profile
from customers.tasks import run_import
from tests.customers.importing.test_messy_list import choose, press, upload, work
from tests.factories import make_customer, make_order, make_user

pytestmark = pytest.mark.django_db
LIST = "/customers/imports/"


def csv(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def xlsx(*rows: list[Any]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def filed(**values: Any) -> Customer:
    customer = make_customer(**values)
    cards.refresh([customer.pk])
    return customer


def row_of(run: Import, number: int) -> Any:
    return run.rows.get(number=number)


def codes(run: Import, number: int) -> dict[str, list[str]]:
    return {name: [fault[0] for fault in some] for name, some in row_of(run, number).errors.items()}


def checked(browser: Client, data: bytes, **changes: Any) -> Import:
    return choose(browser, upload(browser, "list.csv", data), **changes)


# --- files that cannot be read


def many_columns() -> bytes:
    return csv(",".join(f"h{n}" for n in range(16_384)), ",".join("1" for _n in range(16_384)))


def wide_sheet() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["A2"], sheet["XFD40000"] = "name", "a", "far away"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"<workbook/>")
        with packed.open("xl/worksheets/sheet1.xml", "w") as part:
            for _piece in range(300):
                part.write(b" " * 2**20)
    return file.getvalue()


def zipped(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty."),
        (b"\n\n,,\n", "The file is empty."),
        (csv("name,phone"), "there is no row"),
        (xlsx(["name", "phone"]), "there is no row"),
        (xlsx(), "The file is empty."),
        (b"%PDF-1.7\n" + bytes(range(256)) * 9, "no Excel file"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00\x01\x02\x03" * 400, "no Excel file"),
        (xlsx(["name"], ["a"])[:3000], "The file is damaged"),
        (zipped("a.txt", b"hello"), "no Excel file"),
        (zipped("xl/workbook.xml", b"<workbook"), "The file is damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 2000, "The file is damaged"),
        (many_columns(), "The table has 16,384 columns, at most 200 can be read."),
        (wide_sheet(), "The sheet reaches to row 40000 and column 16384"),
        (bomb(), "Unpacked, the file has more than 256 MB."),
        (b"x" * (20 * 1024 * 1024 + 1), "The file has more than 20 MB."),
        (b"name\n" + b"\xff\xfe\xfd\n" * 9, "cannot be read: save it as UTF-8"),
        (b"name,phone\n" + b"a,1\n" * 50_001, "more than 50,000 rows"),
    ],
)
def test_what_cannot_be_read_is_said_and_leaves_nothing_behind(
    data: bytes, said: str, as_, rep: User
) -> None:
    answer = as_(rep).post(LIST, {"file": SimpleUploadedFile("list.xlsx", data)})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Import.objects.exists()


def test_a_file_with_a_password_is_named_as_such(as_, rep) -> None:
    # An encrypted .xlsx is an OLE file whose folder has a stream of this name.
    name = "EncryptedPackage".encode("utf-16-le")
    data = _ole(name)
    answer = as_(rep).post(LIST, {"file": SimpleUploadedFile("secret.xlsx", data)})
    assert answer.status_code == 422
    assert "password" in answer.content.decode()


def _ole(stream: bytes) -> bytes:
    """The smallest compound file with one stream."""
    free, end, chain = b"\xff" * 4, b"\xfe\xff\xff\xff", b"\xfd\xff\xff\xff"
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 16
    head += b"\x3e\x00\x03\x00\xfe\xff\x09\x00\x06\x00" + b"\x00" * 10
    head += (1).to_bytes(4, "little") + (1).to_bytes(4, "little") + b"\x00" * 4
    head += (4096).to_bytes(4, "little") + end + b"\x00" * 4 + end + b"\x00" * 4
    head += (0).to_bytes(4, "little") + free * 108
    table = chain + end + end * 8 + free * 118

    def entry(name: bytes, kind: int, child: bytes, start: bytes, size: int) -> bytes:
        entry_ = name.ljust(64, b"\x00") + (len(name) + 2).to_bytes(2, "little")
        entry_ += bytes([kind, 1]) + free + free + child + b"\x00" * 36 + start
        return entry_ + size.to_bytes(8, "little")

    root = entry("Root Entry".encode("utf-16-le"), 5, (1).to_bytes(4, "little"), end, 0)
    data = entry(stream, 2, free, (2).to_bytes(4, "little"), 4096)
    folder = root + data + (b"\x00" * 68 + free * 3 + b"\x00" * 48) * 2
    return head + table + folder + b"\x00" * 512 * 8


def test_nul_bytes_emoji_and_long_cells_come_in_without_harm(as_, rep) -> None:
    long = "长" * 200
    data = (
        csv(
            "客户名称,地址,备注",
            "绍兴\x00永泰商行,绍兴,😀 好",
            f"{long},,",
            f"{long}了,,",
            f"三江,{'路' * 400},x",
        )
        + "\n鑫源,,".encode()
        + b"x" * 10_000_000
    )
    run = checked(as_(rep), data, column_2="custom")
    assert run.counts == {"create": 2, "update": 0, "unchanged": 0, "rejected": 3}
    press(as_(rep), run, "apply")
    names = set(Customer.objects.values_list("name", flat=True))
    assert names == {"绍兴永泰商行", long}
    assert Customer.objects.get(name="绍兴永泰商行").custom == {"备注": "😀 好"}


# --- columns


def test_columns_are_remembered_by_their_heads_in_any_order(as_, rep) -> None:
    browser = as_(rep)
    checked(
        browser,
        csv("名称,老编码,仓库", "甲商行,A1,800"),
        column_1="external_id",
        column_2="custom",
        key="external_id",
    )
    again = upload(browser, "next.csv", csv("仓库,名称,老编码", "900,乙商行,A2"))
    assert again.mapping == {"0": "custom", "1": "name", "2": "external_id"}
    assert again.key == "external_id"
    assert ColumnMapping.objects.count() == 1


def test_a_mapping_that_makes_no_sense_is_said_beside_its_field(as_, rep) -> None:
    browser = as_(rep)
    run = upload(browser, "list.csv", csv("名称,电话", "甲,13800138000"))
    url = f"/customers/imports/{run.pk}/columns/"
    twice = browser.post(
        url, {"column_0": "name", "column_1": "name", "key": "name", "mode": "both"}
    )
    assert twice.status_code == 422
    assert "“名称” is the Name already." in twice.content.decode()
    no_key = browser.post(url, {"column_0": "name", "key": "tax_id", "mode": "both"})
    assert "No column is the Tax number." in no_key.content.decode()
    nameless = browser.post(url, {"column_1": "phone", "key": "phone", "mode": "both"})
    assert "New customers need a column for the Name." in nameless.content.decode()
    run.refresh_from_db()
    assert run.state == ImportState.UPLOADED


def test_another_sheet_of_the_workbook_can_be_chosen(as_, rep) -> None:
    book = Workbook()
    assert book.active is not None
    book.active.append(["notes", "only"])
    book.active.append(["a", "b"])
    book.create_sheet("dealers").append(["customer name", "phone"])
    book["dealers"].append(["Yongtai", "13800138000"])
    file = io.BytesIO()
    book.save(file)
    browser = as_(rep)
    run = upload(browser, "two.xlsx", file.getvalue())
    browser.post(f"/customers/imports/{run.pk}/columns/", {"sheet": "dealers"})
    run.refresh_from_db()
    assert run.mapping == {"0": "name", "1": "phone"}


def test_the_template_file_comes_back_in_as_it_is(as_, rep) -> None:
    browser = as_(rep)
    for language in ("en", "zh-hans"):
        User.objects.filter(pk=rep.pk).update(language=language)
        data = browser.get("/customers/imports/template/").getvalue()
        run = choose(browser, upload(browser, "template.xlsx", data))
        assert run.counts["create"] == 1, list(run.rows.values_list("errors", flat=True))


# --- what becomes of rows


def test_rows_meet_customers_by_the_key_and_change_only_what_they_say(as_, rep) -> None:
    customer = filed(owner=rep, external_id="C-1", name="永泰", phone="+8613800138000", tags=["老"])
    before = customer.version
    data = csv("编号,名称,电话,税号,标签", "C-1,永泰商贸,,91330602X,", "C-2,三江,13900139000,,新")
    run = checked(as_(rep), data)
    assert run.counts == {"create": 1, "update": 1, "unchanged": 0, "rejected": 0}
    assert row_of(run, 2).before == {"name": "永泰", "tax_id": ""}
    page = as_(rep).get(f"/customers/imports/{run.pk}/?rows=update").content.decode()
    assert '<s class="t3">永泰</s> → 永泰商贸' in page
    press(as_(rep), run, "apply")
    customer.refresh_from_db()
    assert (customer.name, customer.phone, customer.tags) == ("永泰商贸", "+8613800138000", ["老"])
    assert customer.version == before + 1
    entry = AuditEntry.objects.of(customer).latest("pk")
    assert entry.before == {"name": "永泰", "tax_id": ""}
    assert entry.after == {"name": "永泰商贸", "tax_id": "91330602X"}
    assert (entry.actor, entry.through) == (rep, "job")
    again = checked(as_(rep), data)
    assert again.counts == {"create": 0, "update": 0, "unchanged": 2, "rejected": 0}


def test_empty_cells_empty_a_field_only_where_asked_for(as_, rep) -> None:
    customer = filed(owner=rep, external_id="C-1", name="永泰", tax_id="9133", tags=["老"])
    data = csv("编号,名称,税号,标签", "C-1,,,")
    assert checked(as_(rep), data, mode="update").counts["unchanged"] == 1
    run = press(as_(rep), checked(as_(rep), data, mode="update", clears="on"), "apply")
    customer.refresh_from_db()
    assert (customer.name, customer.tax_id, customer.tags) == ("永泰", "", [])
    press(as_(rep), run, "undo")
    customer.refresh_from_db()
    assert (customer.tax_id, customer.tags) == ("9133", ["老"])


@pytest.mark.parametrize(
    ("mode", "wanted"), [("create", ("rejected", "create")), ("update", ("update", "rejected"))]
)
def test_the_mode_says_what_is_taken(mode: str, wanted: tuple[str, str], as_, rep) -> None:
    filed(owner=rep, external_id="C-1", name="永泰")
    run = checked(as_(rep), csv("编号,名称", "C-1,永泰商贸", "C-2,三江"), mode=mode)
    assert tuple(run.rows.order_by("number").values_list("outcome", flat=True)) == wanted


def test_a_customer_out_of_sight_is_refused_and_not_described(as_, rep, stranger) -> None:
    filed(owner=stranger, external_id="C-9", name="顺发商贸", phone="+8613800138000", tax_id="T9")
    browser = as_(rep)
    for key, line in (
        ("external_id", "C-9,甲,,"),
        ("tax_id", ",乙,,T9"),
        ("phone", ",丙,13800138000,"),
        ("name", ",顺发商贸有限公司,,"),
    ):
        run = checked(browser, csv("编号,名称,电话,税号", line), key=key)
        assert codes(run, 2) == {key: ["hidden"]}
        assert row_of(run, 2).customer_id is None
        page = browser.get(f"/customers/imports/{run.pk}/").content.decode()
        assert "A customer that you do not see has it" in page
        assert "顺发商贸<" not in page
    # A number is everybody's, whatever files are found by.
    run = checked(browser, csv("编号,名称", "C-9,新来的"), key="name")
    assert codes(run, 2) == {"external_id": ["number_taken"]}


def test_a_key_that_hits_several_is_refused_unless_one_has_the_very_name(as_, rep) -> None:
    for name in ("永泰商贸有限公司", "永泰商贸"):
        filed(owner=rep, name=name)
    run = checked(as_(rep), csv("名称,税号", "永泰商贸,T1", "永泰商贸公司,T2"), key="name")
    assert row_of(run, 2).outcome == Outcome.UPDATE
    assert codes(run, 3) in ({"name": ["several"]}, {"name": ["same_key"]})


def test_rows_of_one_customer_name_the_row_before(as_, rep) -> None:
    run = checked(
        as_(rep), csv("编号,名称", "1,甲", "1,乙", "２,丙", "2,丁", ",戊"), key="external_id"
    )
    assert row_of(run, 3).errors == {"external_id": [["same_key", {"row": 2}]]}
    assert codes(run, 6) == {"external_id": ["no_key"]}


def test_what_looks_like_a_customer_on_file_is_a_warning(as_, rep, stranger) -> None:
    filed(owner=rep, external_id="C-1", name="绍兴越州副食品有限公司")
    filed(owner=stranger, external_id="C-2", name="别人的", tax_id="T7")
    run = checked(as_(rep), csv("编号,名称,税号", "N-1,绍兴越州副食品,", "N-2,新的,T7"))
    assert run.counts["create"] == 2
    assert row_of(run, 2).errors[""] == [["alike", {"name": "绍兴越州副食品有限公司"}]]
    assert row_of(run, 3).errors[""] == [["alike_hidden", {}]]


def test_cells_are_read_as_people_write_them_or_refused_with_the_reason(as_, rep) -> None:
    heads = "编号,名称,电话,税号,成立日期,买断,客户类型,注册资本,员工人数,"
    heads += "产品满意度,生日,联系人,邮箱,区域"
    good = "1,甲,0575 8512 3456转801,0913 3060,2010年3月5日,是,二批,500万,1200,"
    good += "8,闰四月十五,王五,a@b.cn,绍兴市 越城区"
    bad = "2,乙,138001380,9.13E+17,2010-13-05,也许,外星,很多,3.5,11,13月5日,李四,a@,不知道"
    run = checked(as_(rep), csv(heads, good, bad))
    assert codes(run, 2) == {}
    assert codes(run, 3) == {
        "phone": ["phone"], "tax_id": ["shortened"], "founded_on": ["date"], "buyout": ["flag"],
        "kind": ["choice"], "profile.capital": ["number"], "profile.staff_count": ["number"],
        "profile.product_satisfaction": ["range"], "contact.birthday": ["birthday"],
        "email": ["email"], "division": ["division"],
    }  # fmt: skip
    press(as_(rep), run, "apply")
    customer = Customer.objects.get()
    assert (customer.phone, customer.tax_id) == ("+8657585123456;ext=801", "09133060")
    assert (str(customer.founded_on), customer.buyout, customer.kind) == (
        "2010-03-05",
        True,
        "dealer",
    )
    assert (customer.division, customer.division_found) == ("330602", "")
    profile = Profile.objects.get()
    assert (profile.capital, profile.staff_count, profile.product_satisfaction) == (
        Decimal(5_000_000),
        1200,
        8,
    )
    contact = Contact.objects.get()
    assert (contact.birthday_calendar, contact.birth_month, contact.birthday_leap) == (
        "lunar",
        4,
        True,
    )


def test_reasons_are_told_in_the_readers_language(as_, rep) -> None:
    browser = as_(rep)
    run = checked(browser, csv("名称,电话", "甲,1380013800"))
    assert (
        "A mobile number has 11 digits, now 10."
        in browser.get(f"/customers/imports/{run.pk}/").content.decode()
    )
    User.objects.filter(pk=rep.pk).update(language="zh-hans")
    assert (
        "手机号应为 11 位，现在 10 位"
        in browser.get(f"/customers/imports/{run.pk}/").content.decode()
    )


# --- rights


def test_a_rep_imports_her_own_customers_and_hands_none_over(as_, rep, stranger) -> None:
    data = csv("名称,负责人", "甲,rep", "乙,", "丙,stranger", "丁,谁")
    run = press(as_(rep), checked(as_(rep), data, key="name"), "apply")
    assert codes(run, 4) == codes(run, 5) == {"owner": ["owner_unknown"]}
    assert set(Customer.objects.values_list("name", "owner")) == {("甲", rep.pk), ("乙", rep.pk)}


def test_a_manager_gives_customers_to_her_team(as_, rep, manager, stranger) -> None:
    filed(owner=rep, name="老客户")
    make_user("twin1", name="同名", team=rep.team)
    make_user("twin2", name="同名", team=rep.team)
    data = csv("名称,业务员", "甲,rep", "乙,stranger", "老客户,manager", "丙,同名")
    run = checked(as_(manager), data, key="name")
    assert codes(run, 3) == {"owner": ["owner_unknown"]}
    assert codes(run, 5) == {"owner": ["owner_twice"]}
    press(as_(manager), run, "apply")
    assert set(Customer.objects.values_list("name", "owner")) == {
        ("甲", rep.pk),
        ("老客户", manager.pk),
    }


def test_only_who_may_change_customers_imports(as_, finance, compliance) -> None:
    for user in (finance, compliance):
        assert as_(user).get(LIST).status_code == 403
        assert as_(user).post(LIST, {"file": SimpleUploadedFile("a.csv", b"a")}).status_code == 403


def test_a_manager_sees_a_reps_import_and_leaves_it_to_her(as_, rep, manager, stranger) -> None:
    run = checked(as_(rep), csv("名称", "甲"))
    url = f"/customers/imports/{run.pk}/"
    assert as_(manager).get(url).status_code == 200
    for button in ("columns", "columns/again", "apply", "undo", "again", "mended"):
        assert as_(manager).post(f"{url}{button}/").status_code == 403
        assert as_(stranger).post(f"{url}{button}/").status_code == 404
    assert as_(stranger).get(url).status_code == 404
    assert not Customer.objects.exists()


def test_rights_that_were_lost_meanwhile_stop_the_import(as_, rep) -> None:
    run = checked(as_(rep), csv("名称", "甲"))
    as_(rep).post(f"/customers/imports/{run.pk}/apply/")
    User.objects.filter(pk=rep.pk).update(role=Role.FINANCE)
    work()
    run.refresh_from_db()
    assert (run.state, run.error) == (ImportState.CHECKED, "rights")
    assert not Customer.objects.exists()


def test_uploaded_files_are_kept_where_no_address_leads(as_, rep) -> None:
    run = upload(as_(rep), "list.csv", csv("名称", "甲"))
    path = Path(run.file.path)
    assert path.is_relative_to(settings.MEDIA_ROOT)
    assert not settings.MEDIA_URL or as_(rep).get(f"/{run.file.name}").status_code == 404


# --- between the preview and the writing


def test_what_somebody_changed_after_the_preview_is_not_overwritten(as_, rep) -> None:
    moved = filed(owner=rep, external_id="C-1", name="永泰", email="old@x.cn")
    touched = filed(owner=rep, external_id="C-2", name="三江", email="old@x.cn")
    gone = filed(owner=rep, external_id="C-3", name="同福", email="old@x.cn")
    run = checked(
        as_(rep), csv("编号,名称,邮箱", *(f"C-{n},,new@x.cn" for n in (1, 2, 3)), "C-4,新的,")
    )
    assert run.counts["update"] == 3
    moved.email = "newer@x.cn"
    moved.save()
    touched.address = "elsewhere"
    touched.save()
    gone.delete()
    filed(owner=rep, external_id="C-4", name="抢先")
    press(as_(rep), run, "apply")
    assert codes(run, 2) == {"email": ["moved"]}
    assert codes(run, 4) == {"": ["not_there"]}
    assert codes(run, 5) == {"external_id": ["now_on_file"]}
    assert run.counts == {"create": 0, "update": 1, "unchanged": 0, "rejected": 3}
    moved.refresh_from_db()
    touched.refresh_from_db()
    assert (moved.email, touched.email, touched.address) == ("newer@x.cn", "new@x.cn", "elsewhere")


def test_pressed_twice_it_is_written_once(as_, rep) -> None:
    browser = as_(rep)
    run = checked(browser, csv("名称", "甲", "乙"))
    for _press in range(2):
        assert browser.post(f"/customers/imports/{run.pk}/apply/").status_code == 302
    work()
    press(browser, run, "apply")
    assert Customer.objects.count() == 2


def test_an_import_whose_worker_died_goes_on_where_it_stood(as_, rep, monkeypatch) -> None:
    monkeypatch.setattr(applying, "CHUNK", 2)
    browser = as_(rep)
    run = checked(browser, csv("名称", *(f"客户{n}" for n in range(5))))
    browser.post(f"/customers/imports/{run.pk}/apply/")
    run.refresh_from_db()
    applying.apply_chunk(run, rep, now=timezone.now())  # and here the power failed
    assert Customer.objects.count() == 2
    Import.objects.filter(pk=run.pk).update(stepped_at=timezone.now() - timedelta(minutes=6))
    page = browser.get(f"/customers/imports/{run.pk}/").content.decode()
    assert "Go on from there" in page
    browser.post(f"/customers/imports/{run.pk}/again/")
    work()
    run.refresh_from_db()
    assert (run.state, run.done) == (ImportState.DONE, 5)
    assert Customer.objects.count() == 5
    assert AuditEntry.objects.filter(model="customers.customer", action="create").count() == 5


def test_two_imports_of_one_list_put_nobody_on_file_twice(as_, rep, manager) -> None:
    data = csv("名称,电话", "甲商行,13800138000", "乙商行,13900139000")
    one, two = checked(as_(rep), data), checked(as_(manager), data)
    press(as_(rep), one, "apply")
    press(as_(manager), two, "apply")
    assert Customer.objects.count() == 2
    assert two.counts["rejected"] == 2


# --- what comes back


def test_rejected_rows_come_back_with_the_reason_and_without_formulas(as_, rep) -> None:
    browser = as_(rep)
    run = checked(browser, csv("名称,电话,备注", "甲,1380013800,=1+1", "乙,13800138000,x"))
    table = load_workbook(
        io.BytesIO(browser.get(f"/customers/imports/{run.pk}/rejected/").getvalue())
    ).active
    rows = list(table.iter_rows(values_only=True))
    assert rows == [
        ("名称", "电话", "备注", "Row in the file", "Why it was rejected"),
        ("甲", "1380013800", "'=1+1", 2, "Phone: A mobile number has 11 digits, now 10."),
    ]
    text = b"".join(browser.get(f"/customers/imports/{run.pk}/rejected/?format=csv")).decode(
        "utf-8-sig"
    )
    mended = upload(
        browser,
        "mended.csv",
        text.replace("1380013800,", "13800138001,").encode(),
        f"/customers/imports/{run.pk}/mended/",
    )
    work()
    mended.refresh_from_db()
    assert (mended.state, mended.counts["create"]) == (ImportState.CHECKED, 1)
    assert mended.rows.get().cells[2] == "=1+1"


def test_a_mended_file_of_other_columns_is_refused(as_, rep) -> None:
    browser = as_(rep)
    run = checked(browser, csv("名称,电话", "甲,1380013800"))
    file = SimpleUploadedFile("other.csv", csv("姓名,年龄", "a,1"))
    answer = browser.post(f"/customers/imports/{run.pk}/mended/", {"file": file}, follow=True)
    assert "other heads" in answer.content.decode()
    assert Import.objects.count() == 1


def test_undo_keeps_what_somebody_has_gone_on_with(as_, rep) -> None:
    old = filed(owner=rep, external_id="C-1", name="永泰", email="a@x.cn", tax_id="T1")
    data = csv("编号,名称,邮箱,税号", "C-1,,b@x.cn,T2", "N-1,有订单,,", "N-2,改过,,", "N-3,没动,,")
    browser = as_(rep)
    run = press(browser, checked(browser, data), "apply")
    old.refresh_from_db()
    old.email = "c@x.cn"
    old.save()
    make_order(Customer.objects.get(external_id="N-1"))
    edited = Customer.objects.get(external_id="N-2")
    edited.address = "新地址"
    edited.save()
    press(browser, run, "undo")
    old.refresh_from_db()
    assert (old.email, old.tax_id) == ("c@x.cn", "T1")
    assert set(Customer.objects.values_list("external_id", flat=True)) == {"C-1", "N-1", "N-2"}
    assert (run.counts["undone"], run.counts["kept"]) == (1, 3)
    page = browser.get(f"/customers/imports/{run.pk}/?rows=kept").content.decode()
    assert "there is more on it now: order" in page
    assert "It was changed after the import: kept." in page


def test_every_number_leads_to_the_customers_behind_it(as_, rep, stranger) -> None:
    filed(owner=rep, name="不在其中")
    run = press(as_(rep), checked(as_(rep), csv("名称", "甲商行", "乙商行")), "apply")
    page = as_(rep).get(f"/customers/?imported={run.pk}").content.decode()
    assert "甲商行" in page
    assert "不在其中" not in page
    assert "甲商行" not in as_(stranger).get(f"/customers/?imported={run.pk}").content.decode()
    assert as_(rep).get("/customers/?imported=x").status_code == 200


def test_old_files_go_and_what_was_written_stays(as_, rep) -> None:
    done = press(as_(rep), checked(as_(rep), csv("名称", "甲商行")), "apply")
    checked(as_(rep), csv("名称", "乙商行"))
    path = Path(done.file.path)
    steps.clear(now=timezone.now() + timedelta(days=29))
    assert path.exists()
    steps.clear(now=timezone.now() + timedelta(days=31))
    assert not path.exists()
    assert list(Import.objects.values_list("pk", flat=True)) == [done.pk]
    assert done.rows.count() == 1
    steps.clear(now=timezone.now() + timedelta(days=181))
    assert done.rows.count() == 0
    assert Customer.objects.count() == 1


def test_progress_is_asked_for_until_the_step_has_ended(as_, rep) -> None:
    browser = as_(rep)
    run = upload(browser, "list.csv", csv("名称", "甲"))
    wanted = {"column_0": "name", "key": "name", "mode": "both"}
    browser.post(f"/customers/imports/{run.pk}/columns/", wanted)
    url = f"/customers/imports/{run.pk}/progress/"
    part = browser.get(url, headers={"HX-Request": "true"})
    assert "waiting for a worker" in part.content.decode()
    assert browser.get(url)["Location"] == f"/customers/imports/{run.pk}/"
    work()
    assert browser.get(url, headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_the_pages_ask_no_more_for_more_rows(as_, rep, django_assert_max_num_queries) -> None:
    lines = [f"客户{n},1380013{n:04},甲{n}" for n in range(60)]
    run = checked(as_(rep), csv("名称,电话,联系人", *lines))
    browser = as_(rep)
    with django_assert_max_num_queries(9):
        browser.get(f"/customers/imports/{run.pk}/")
    with django_assert_max_num_queries(7):
        browser.get(LIST)


def test_a_large_import_asks_before_it_writes(as_, rep) -> None:
    run = checked(as_(rep), csv("名称", *(f"客户{n}" for n in range(51))))
    page = as_(rep).get(f"/customers/imports/{run.pk}/").content.decode()
    assert "51 customers are put on file, 0 are changed." in page


def test_run_import_leaves_a_forgotten_import_alone(rep) -> None:
    job = jobs.request(
        "import", owner=rep, parameters={"import": 0, "step": "apply"}, now=timezone.now()
    )
    run_import(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
