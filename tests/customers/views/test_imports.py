"""The pages of imports: who may, and what they show (P7)."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import AuditEntry, User
from accounts.roles import Role
from customers.models import Customer, ImportState
from tests.customers.importing.playing import (
    LIST,
    checked,
    codes,
    csv,
    filed,
    press,
    upload,
    work,
)
from tests.factories import make_user

pytestmark = pytest.mark.django_db


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


def test_who_leads_the_uploader_and_an_administrator_go_on_with_an_import(
    as_, rep, manager, administrator
) -> None:
    for who in (manager, administrator):
        run = checked(as_(rep), csv("名称", f"{who.username}商行"), key="name")
        assert "To be confirmed" in as_(who).get(LIST).content.decode()
        press(as_(who), run, "apply")
        customer = Customer.objects.get(name=f"{who.username}商行")
        assert (customer.owner, run.written_by, run.by) == (rep, who, rep)
        entry = AuditEntry.objects.of(customer).get()
        assert (entry.actor, entry.through) == (who, "job")
        page = as_(rep).get(LIST).content.decode()
        assert f"written by {who.display_name}" in page
        press(as_(who), run, "undo")
        assert (run.state, run.undone_by) == (ImportState.UNDONE, who)
        assert f"taken back by {who.display_name}" in as_(rep).get(LIST).content.decode()


def test_nobody_else_goes_on_with_an_import(as_, rep, service, director, stranger) -> None:
    run = checked(as_(rep), csv("名称", "甲"))
    url = f"/customers/imports/{run.pk}/"
    buttons = ("columns", "columns/again", "choice", "apply", "undo", "again", "mended")
    assert as_(service).get(url).status_code == 200
    assert "Waits for Rep" in as_(service).get(LIST).content.decode()
    for button in buttons:
        for who in (service, director):
            assert as_(who).post(f"{url}{button}/").status_code == 403
        assert as_(stranger).post(f"{url}{button}/").status_code == 404
    assert as_(stranger).get(url).status_code == 404
    assert not Customer.objects.exists()


def test_only_the_uploader_uploads_the_mended_rows(as_, rep, manager) -> None:
    run = checked(as_(rep), csv("名称,电话", "甲,138"))
    url = f"/customers/imports/{run.pk}/"
    assert as_(manager).post(f"{url}mended/").status_code == 403
    assert "Mended file" not in as_(manager).get(url).content.decode()


def test_nothing_is_written_to_a_file_that_either_does_not_see(as_, rep, manager, stranger) -> None:
    """Handed over between preview and writing: to a colleague, and out of the team."""
    teammate = make_user("mate", team=rep.team)
    mates, strangers, own = (
        filed(owner=rep, external_id=f"C-{n}", name=f"客户{n}", email="old@x.cn") for n in (1, 2, 3)
    )
    run = checked(
        as_(rep), csv("编号,邮箱", *(f"C-{n},new@x.cn" for n in (1, 2, 3))), mode="update"
    )
    Customer.objects.filter(pk=mates.pk).update(owner=teammate)
    Customer.objects.filter(pk=strangers.pk).update(owner=stranger)
    press(as_(manager), run, "apply")
    emails = dict(Customer.objects.values_list("pk", "email"))
    assert emails == {mates.pk: "old@x.cn", strangers.pk: "old@x.cn", own.pk: "new@x.cn"}
    assert codes(run, 2) == codes(run, 3) == {"": ["not_there"]}


def test_a_managers_button_gives_a_reps_file_no_right_to_hand_over(as_, rep, manager) -> None:
    make_user("mate", team=rep.team)
    filed(owner=rep, external_id="C-1", name="客户1")
    run = checked(as_(rep), csv("编号,业务员", "C-1,mate"), mode="update")
    data = {"column_0": "external_id", "column_1": "owner", "key": "external_id", "mode": "update"}
    as_(manager).post(f"/customers/imports/{run.pk}/columns/", data)
    work()
    assert codes(run, 2) == {"owner": ["owner_unknown"]}


def test_the_import_of_one_who_left_is_gone_on_with_by_the_manager(as_, rep, manager) -> None:
    run = press(as_(rep), checked(as_(rep), csv("名称", "甲商行", "乙商行"), key="name"), "apply")
    User.objects.filter(pk=rep.pk).update(is_active=False)
    press(as_(manager), run, "undo")
    assert run.counts["kept"] == 0
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


def test_every_number_leads_to_the_customers_behind_it(as_, rep, stranger) -> None:
    filed(owner=rep, name="不在其中")
    run = press(as_(rep), checked(as_(rep), csv("名称", "甲商行", "乙商行")), "apply")
    page = as_(rep).get(f"/customers/?imported={run.pk}").content.decode()
    assert "甲商行" in page
    assert "不在其中" not in page
    assert "甲商行" not in as_(stranger).get(f"/customers/?imported={run.pk}").content.decode()
    assert as_(rep).get("/customers/?imported=x").status_code == 200


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
