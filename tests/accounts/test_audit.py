"""The audit log: every save and delete of a tracked record says who changed what, and how."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.audit import Through, acting
from accounts.models import ApiKey, AuditEntry, User
from customers.models import Customer
from tests.factories import PASSWORD, make_customer, make_key, make_user

pytestmark = pytest.mark.django_db


def last() -> AuditEntry:
    entry = AuditEntry.objects.first()
    assert entry
    return entry


def entries(record: Customer | User | ApiKey) -> list[tuple[str, Any, Any]]:
    """(action, before, after) of the record, newest first."""
    return list(AuditEntry.objects.of(record).values_list("action", "before", "after"))


def test_a_new_record_is_kept_whole() -> None:
    customer = make_customer(name="越州", founded_on=date(2001, 2, 3))
    entry = last()
    assert (entry.action, entry.model, entry.object_id) == (
        "create",
        "customers.customer",
        customer.pk,
    )
    assert entry.object_name == "越州"
    assert entry.before == {}
    assert entry.after["name"] == "越州"
    assert entry.after["founded_on"] == "2001-02-03"
    assert not {"id", "created_at", "updated_at", "version"} & entry.after.keys()


def test_a_change_keeps_only_what_changed(rep: User, stranger: User) -> None:
    customer = make_customer(owner=rep, phone="1")
    customer.owner = stranger
    customer.phone = "2"
    customer.save()
    assert entries(customer)[0] == (
        "update",
        {"owner_id": rep.pk, "phone": "1"},
        {"owner_id": stranger.pk, "phone": "2"},
    )


def test_saving_without_a_change_writes_nothing() -> None:
    customer = Customer.objects.get(pk=make_customer().pk)
    customer.save()
    assert len(entries(customer)) == 1


def test_the_second_save_starts_from_the_first() -> None:
    customer = make_customer(name="one")
    for name in ("two", "three"):
        customer.name = name
        customer.save()
    assert [change[1:] for change in entries(customer)[:2]] == [
        ({"name": "two"}, {"name": "three"}),
        ({"name": "one"}, {"name": "two"}),
    ]


@pytest.mark.parametrize("fresh", [False, True], ids=["made here", "read again"])
def test_a_list_changed_in_place_is_a_change(fresh: bool) -> None:
    customer = make_customer(tags=["old"], custom={"a": {"b": 1}})
    if fresh:
        customer = Customer.objects.get(pk=customer.pk)
    customer.tags.append("new")
    customer.custom["a"]["b"] = 2
    customer.save()
    assert entries(customer)[0][1:] == (
        {"tags": ["old"], "custom": {"a": {"b": 1}}},
        {"tags": ["old", "new"], "custom": {"a": {"b": 2}}},
    )


def test_a_field_left_out_of_the_save_is_not_in_the_entry() -> None:
    customer = make_customer(name="one", phone="1")
    customer.name, customer.phone = "two", "2"
    customer.save(update_fields=["name"])
    assert entries(customer)[0][1:] == ({"name": "one"}, {"name": "two"})
    customer.save()
    assert entries(customer)[0][1:] == ({"phone": "1"}, {"phone": "2"})


def test_a_saved_relation_may_be_named_either_way(rep: User, stranger: User) -> None:
    customer = make_customer(owner=rep)
    customer.owner = stranger
    customer.save(update_fields=["owner"])
    customer.owner = None
    customer.save(update_fields=["owner_id"])
    assert [change[2] for change in entries(customer)[:2]] == [
        {"owner_id": None},
        {"owner_id": stranger.pk},
    ]


def test_a_field_that_was_never_read_still_has_its_before() -> None:
    pk = make_customer(name="one", phone="1", address="old").pk
    customer = Customer.objects.only("name").get(pk=pk)
    customer.phone = "2"
    assert customer.address == "old"  # read on demand, then changed
    customer.address = "new"
    customer.save()
    assert entries(customer)[0][1:] == (
        {"phone": "1", "address": "old"},
        {"phone": "2", "address": "new"},
    )


def test_reading_again_forgets_what_others_changed() -> None:
    customer = make_customer(name="one")
    Customer.objects.filter(pk=customer.pk).update(name="by another")
    customer.refresh_from_db()
    customer.phone = "2"
    customer.save()
    assert entries(customer)[0][1:] == ({"phone": ""}, {"phone": "2"})


def test_a_value_that_the_database_computes_is_read_back() -> None:
    customer = make_customer()
    customer.order_count = F("order_count") + 3
    customer.save()
    assert entries(customer)[0][1:] == ({"order_count": 0}, {"order_count": 3})


def test_the_same_value_in_another_type_is_no_change() -> None:
    customer = make_customer(latitude=Decimal("30.5"), founded_on=date(2001, 2, 3))
    customer.latitude = "30.500000"
    customer.founded_on = "2001-02-03"
    customer.save()
    assert len(entries(customer)) == 1


def test_a_deleted_record_is_kept_as_it_was_stored() -> None:
    customer = Customer.objects.only("name").get(pk=make_customer(name="one", phone="1").pk)
    customer.name = "never saved"
    pk = customer.pk
    customer.delete()
    entry = last()
    assert (entry.action, entry.object_id, entry.after) == ("delete", pk, {})
    assert (entry.before["name"], entry.before["phone"]) == ("one", "1")


def test_a_change_that_fails_leaves_no_entry(rep: User) -> None:
    count = AuditEntry.objects.count()
    clash = User(username=rep.username, name="Clash")
    with pytest.raises(Exception, match=r"(?i)unique"), transaction.atomic():
        clash.save()
    assert AuditEntry.objects.count() == count


def test_a_password_shows_as_dots(rep: User) -> None:
    rep.set_password("another-life-2026")
    rep.save()
    assert entries(rep)[0][1:] == ({"password": "••••"}, {"password": "••••"})
    assert entries(rep)[-1][2]["password"] == "••••"


def test_a_key_shows_neither_itself_nor_its_hash() -> None:
    key, secret = make_key()
    text = str(entries(key))
    assert secret not in text
    assert key.digest not in text


def test_signing_in_is_no_change(client, rep: User) -> None:
    version = rep.version
    client.post("/login/", {"login": "rep", "password": PASSWORD})
    rep.refresh_from_db()
    assert rep.last_login
    assert rep.version == version
    assert len(entries(rep)) == 1


def test_an_entry_names_the_person_the_key_and_the_way(rep: User) -> None:
    key, _secret = make_key()
    with acting(user=rep, through=Through.PAGE):
        make_customer()
    assert (last().actor, last().actor_name, last().through) == (rep, "Rep", "page")
    with acting(user=key.user, key=key, through=Through.SYNC):
        make_customer()
    assert (last().key, last().actor_name, last().through) == (key, key.name, "sync")
    make_customer()
    assert (last().actor, last().actor_name, last().through) == (None, "", "command")


def test_an_entry_outlives_the_person(stranger: User) -> None:
    with acting(user=stranger, through=Through.PAGE):
        customer = make_customer()
    stranger.delete()
    assert AuditEntry.objects.of(customer).get().actor_name == "Stranger"


def test_names_longer_than_the_log_are_cut(rep: User) -> None:
    customer = make_customer(name="长" * 200)
    customer.delete()
    assert len(last().object_name) == 200


def test_one_change_is_one_row_in_the_same_transaction(django_assert_num_queries) -> None:
    customer = Customer.objects.get(pk=make_customer().pk)
    customer.name = "new"
    # savepoint, update, entry (with its own savepoint), release
    with django_assert_num_queries(4):
        customer.save()


def test_a_thousand_entries_take_a_handful_of_statements(django_assert_max_num_queries) -> None:
    def entry(number: int) -> AuditEntry:
        return AuditEntry.build(
            model=Customer,
            object_id=number,
            object_name=str(number),
            action="update",
            before={"net_amount": Decimal("1.50")},
            after={"last_ordered_on": timezone.localdate()},
        )

    with django_assert_max_num_queries(20):  # SQLite takes fewer variables to a statement
        AuditEntry.write_many(entry(number) for number in range(1000))
    assert AuditEntry.objects.get(object_id=7).before == {"net_amount": "1.50"}


def test_a_key_used_by_the_erp_is_named_in_the_log() -> None:
    user = make_user("erp", role="integration")
    key, _secret = make_key(user)
    with acting(user=user, key=key, through=Through.API):
        make_customer()
    assert last().actor_name == key.name
