"""The pages on which two files become one, and the address of the one that went (P5)."""

from __future__ import annotations

import pytest

from accounts.models import User
from customers.merging import merge
from customers.models import Customer, Merge
from tests.customers.pairs import NOW, pair_of
from tests.factories import make_customer

pytestmark = pytest.mark.django_db


def test_the_page_asks_before_it_merges(as_, rep: User) -> None:
    gone, into = pair_of(rep, phone="+8613800000000")
    client, url = as_(rep), f"/customers/{into.pk}/merge/"
    page = client.get(url, {"with": gone.pk})
    assert page.status_code == 200
    chosen = {"with": gone.pk, "versions": f"{into.version}.{gone.version}", "name": "theirs"}
    asked = client.post(url, chosen)
    assert "confirmed" in asked.content.decode()
    assert Customer.objects.count() == 2
    done = client.post(url, {**chosen, "confirmed": "1"})
    assert done.status_code == 302
    assert Customer.objects.get().name == "Gone"
    record = Merge.objects.get()
    assert client.get(f"/customers/merges/{record.pk}/").status_code == 200
    again = client.post(url, {**chosen, "confirmed": "1"})
    assert again.status_code == 302
    client.post(f"/customers/merges/{record.pk}/undo/")
    assert Customer.objects.count() == 2


def test_a_choice_over_values_that_moved_meanwhile_is_asked_again(as_, rep: User) -> None:
    gone, into = pair_of(rep)
    into.save()
    chosen = {"with": gone.pk, "versions": "0.0", "confirmed": "1"}
    page = as_(rep).post(f"/customers/{into.pk}/merge/", chosen)
    assert page.status_code == 200
    assert Customer.objects.count() == 2


def test_the_page_does_not_name_a_supplier_out_of_sight(as_, rep: User, stranger: User) -> None:
    hidden = make_customer(owner=stranger, name="Hidden supplier")
    gone, into = pair_of(rep, parent=hidden)
    page = as_(rep).get(f"/customers/{into.pk}/merge/", {"with": gone.pk}).content.decode()
    assert "Hidden supplier" not in page


def test_the_old_address_leads_to_the_survivor(as_, rep: User, stranger: User) -> None:
    gone, into = make_customer(owner=rep, name="Gone"), make_customer(owner=rep)
    merge(gone_id=gone.pk, into_id=into.pk, by=rep, now=NOW)
    answer = as_(rep).get(f"/customers/{gone.pk}/", follow=True)
    assert answer.redirect_chain == [(f"/customers/{into.pk}/", 302)]
    assert "“Gone” was merged into this file." in answer.content.decode()
    assert as_(stranger).get(f"/customers/{gone.pk}/").status_code == 404
