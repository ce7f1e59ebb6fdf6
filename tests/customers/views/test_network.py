"""The pages of networks: levels, totals, and nothing of what one may not see (P25)."""

from __future__ import annotations

import pytest

from customers.models import Customer, Kind
from tests.factories import make_customer

pytestmark = pytest.mark.django_db
PART = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def chain(rep) -> list[Customer]:
    top = make_customer(owner=rep, kind=Kind.DISTRIBUTOR, name="Wholesaler", net_amount=100)
    middle = make_customer(owner=rep, kind=Kind.DEALER, name="Halfway", net_amount=20, parent=top)
    bottom = make_customer(
        owner=rep, kind=Kind.OUTLET, name="Shopkeeper", net_amount=3, parent=middle
    )
    return [top, middle, bottom]


def test_the_tab_shows_the_way_up_the_next_level_and_the_totals(as_, rep, chain) -> None:
    top, middle, bottom = chain
    answer = as_(rep).get(f"/customers/{top.pk}/network/")
    page = answer.content.decode()
    assert answer.context["totals"].customers == 2
    assert f"/customers/{middle.pk}/network/below/" in page
    assert "Shopkeeper" not in page  # two levels down: loaded when it is opened
    assert f"/customers/new/?parent={top.pk}&amp;kind=outlet" in page
    assert f"?under={top.pk}&amp;kind=outlet" in page
    lower = as_(rep).get(f"/customers/{bottom.pk}/network/")
    assert [one.name for one in lower.context["above"]] == ["Wholesaler", "Halfway"]
    assert "Nobody below is on file" in lower.content.decode()


def test_a_level_is_loaded_on_its_own_and_has_an_address(as_, rep, chain) -> None:
    _top, middle, bottom = chain
    url = f"/customers/{middle.pk}/network/below/"
    part = as_(rep).get(url, **PART).content.decode()
    assert "Shopkeeper" in part
    assert "<html" not in part
    assert as_(rep).get(url).url == f"/customers/{middle.pk}/network/?tie=parent"
    assert bottom.name in part


def test_more_of_a_level_comes_page_by_page(as_, rep) -> None:
    top = make_customer(owner=rep, kind=Kind.DEALER)
    for number in range(35):
        make_customer(owner=rep, parent=top, name=f"Outlet {number:02}", net_amount=number)
    client = as_(rep)
    page = client.get(f"/customers/{top.pk}/network/")
    assert [row["name"] for row in page.context["page"].rows][:2] == ["Outlet 34", "Outlet 33"]
    cursor = page.context["page"].next
    more = client.get(f"/customers/{top.pk}/network/below/", {"cursor": cursor}, **PART)
    assert [row["name"] for row in more.context["page"].rows][-1] == "Outlet 00"
    assert "Outlet 04" in more.content.decode()


def test_what_is_out_of_sight_is_not_even_counted(as_, rep, stranger, chain) -> None:
    top, middle, _bottom = chain
    Customer.objects.filter(pk=middle.pk).update(owner=stranger)
    page = as_(rep).get(f"/customers/{top.pk}/network/")
    assert page.context["totals"].customers == 0
    assert "Halfway" not in page.content.decode()
    assert as_(stranger).get(f"/customers/{top.pk}/network/").status_code == 404
    assert (
        "Wholesaler" not in as_(stranger).get(f"/customers/{middle.pk}/network/").content.decode()
    )
    found = as_(stranger).get("/customers/", {"under": top.pk}).content.decode()
    assert "Shopkeeper" not in found
    assert "Halfway" not in found


def test_a_list_says_to_whose_network_it_is_narrowed_and_keeps_it(as_, rep, chain) -> None:
    top = chain[0]
    page = as_(rep).get("/customers/", {"under": top.pk}).content.decode()
    assert "In the network of <b" in page
    assert f'<input type="hidden" name="under" value="{top.pk}">' in page
    assert page.count("Shopkeeper") >= 1
    nobody = as_(rep).get("/customers/", {"under": "9" * 18}).content.decode()
    assert "No customer fits these filters" in nobody


def test_the_list_of_networks_has_tops_with_their_totals(as_, rep, stranger, chain) -> None:
    top, middle, _bottom = chain
    make_customer(owner=rep, name="Alone")
    page = as_(rep).get("/customers/network/")
    rows = page.context["page"].rows
    assert [(row["name"], row["below"].customers) for row in rows] == [("Wholesaler", 2)]
    Customer.objects.filter(pk=top.pk).update(owner=stranger)
    rows = as_(rep).get("/customers/network/").context["page"].rows
    assert [row["name"] for row in rows] == ["Halfway"]
    assert as_(stranger).get("/customers/network/").context["page"].rows == []
    assert middle.name in as_(rep).get("/customers/network/", {"q": "Halfway"}).content.decode()


def test_groups_of_companies_are_shown_the_same_way(as_, rep) -> None:
    head = make_customer(owner=rep, name="Head")
    make_customer(owner=rep, name="Member", group_head=head, net_amount=5)
    client = as_(rep)
    page = client.get(f"/customers/{head.pk}/network/", {"tie": "group_head"})
    assert "Member" in page.content.decode()
    assert page.context["totals"].customers == 1
    rows = client.get("/customers/network/", {"tie": "group_head"}).context["page"].rows
    assert [row["name"] for row in rows] == ["Head"]
    assert "Member" in client.get("/customers/", {"in_group": head.pk}).content.decode()


def test_an_outlet_is_added_below_its_supplier(as_, rep, chain) -> None:
    middle = chain[1]
    client = as_(rep)
    form = client.get("/customers/new/", {"parent": middle.pk, "kind": "outlet"}).context["form"]
    assert f"{middle.external_id} Halfway" in str(form["parent"])
    assert form["kind"].value() == "outlet"
    data = {"name": "Corner shop", "kind": "outlet", "status": "active"}
    client.post("/customers/new/", {**data, "parent": middle.external_id})
    assert Customer.objects.get(name="Corner shop").parent == middle


def test_an_unusual_supplier_is_taken_but_pointed_out(as_, rep, chain) -> None:
    bottom = chain[2]
    client = as_(rep)
    data = {"name": "Big", "kind": "distributor", "status": "active"}
    answer = client.post("/customers/new/", {**data, "parent": bottom.external_id}, follow=True)
    assert "Outlet Shopkeeper is an unusual supplier here." in answer.content.decode()
    page = client.get(f"/customers/{bottom.pk}/network/").content.decode()
    assert "unusual supplier" in page


def test_a_page_costs_the_same_however_many_are_below(
    as_, rep, chain, django_assert_max_num_queries
) -> None:
    top, middle, _bottom = chain
    for number in range(25):
        child = make_customer(owner=rep, parent=top, net_amount=number)
        make_customer(owner=rep, parent=child)
    client = as_(rep)
    client.get(f"/customers/{top.pk}/network/")
    with django_assert_max_num_queries(14):
        client.get(f"/customers/{top.pk}/network/")
    with django_assert_max_num_queries(6):
        client.get(f"/customers/{middle.pk}/network/below/", **PART)
    with django_assert_max_num_queries(10):
        client.get("/customers/network/")
