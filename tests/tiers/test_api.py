"""tier-policies and tier-runs over HTTP."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from customers.models import Customer
from tests.factories import local, make_customer, make_key, make_order
from tests.tiers.conftest import NOW
from tiers import tiering
from tiers.models import RunState, TierOverride, TierPolicy, TierRun

RUNS = "/api/v1/tier-runs/"


@pytest.fixture(autouse=True)
def today(db: None, settings):
    settings.API_RATE_PER_MINUTE = 0  # its counter has queries of its own
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def client_of():
    """`client_of(user)`: an API client with a key of that user's."""

    def sign_in(user: User, scopes: list[str] | None = None) -> APIClient:
        _key, secret = make_key(user, scopes=scopes)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}", HTTP_ACCEPT_LANGUAGE="en")
        return client

    return sign_in


def test_a_run_is_asked_for_followed_and_read(
    erp: APIClient, policy, django_capture_on_commit_callbacks
) -> None:
    customer = make_customer(external_id="C-1", name="越州")
    make_order(customer, "1000.00")
    with django_capture_on_commit_callbacks() as queued:
        asked = erp.post(RUNS, {"as_of": "2026-06-16", "dry_run": False})
    assert len(queued) == 1
    assert asked.status_code == 202
    assert asked["Location"].endswith(f"{RUNS}{asked.json()['id']}/")
    assert (asked.json()["state"], asked.json()["counts"]) == ("queued", None)
    tiering.run(asked.json()["id"], now=NOW)
    done = erp.get(asked["Location"]).json()
    assert done["state"] == "done"
    assert done["progress"] == 100
    assert done["as_of"] == "2026-06-16"
    assert done["counts"] == {"A": 1, "B": 0, "C": 0, "unranked": 0}
    assert done["moved"] == 1
    [change] = erp.get(f"{asked['Location']}changes/").json()["results"]
    reason = change.pop("reason")
    assert change.pop("changed_at") == done["finished_at"]
    assert change | {"id": 0} == {
        "id": 0,
        "customer": customer.pk,
        "customer_external_id": "C-1",
        "customer_name": "越州",
        "from_tier": None,
        "to_tier": "A",
        "cause": "run",
        "net_amount": "1000.00",
        "net_before": None,
        "measured": "1000.00",
        "ranked_in": "",
        "rank": 1,
        "rank_before": None,
        "ranked": 1,
        "share_before": "0.000000",
        "share": "1.000000",
        "after_runs": 1,
    }
    assert "1,000" in reason


def test_the_same_open_question_is_answered_by_its_run(erp: APIClient, policy) -> None:
    first = erp.post(RUNS, {"as_of": "2026-06-16"}).json()
    assert erp.post(RUNS, {"as_of": "2026-06-16", "policy": policy.pk}).json() == first
    assert erp.post(RUNS, {"as_of": "2026-06-16", "dry_run": True}).json()["id"] != first["id"]
    assert TierRun.objects.count() == 2


def test_asking_lands_in_the_audit_log_under_the_key(erp: APIClient, policy) -> None:
    asked = erp.post(RUNS, {"as_of": "2026-06-16"}).json()
    entry = AuditEntry.objects.get(model="tiers.tierrun", object_id=asked["id"])
    assert (entry.through, entry.key is not None) == ("api", True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"as_of": "2026-06-18"}, "as_of"),  # tomorrow
        ({"as_of": "1969-12-31"}, "as_of"),
        ({"as_of": "0999-01-01"}, "as_of"),
        ({"as_of": "2026-02-30"}, "as_of"),
        ({"as_of": None}, "as_of"),
        ({}, "as_of"),
        ({"as_of": "2026-06-16", "policy": 999999}, "policy"),
        ({"as_of": "2026-06-16", "policy": 10**30}, "policy"),
        ({"as_of": "2026-06-16", "policy": "x"}, "policy"),
        ({"as_of": "2026-06-16", "dry_run": "perhaps"}, "dry_run"),
    ],
)
def test_bad_input_is_a_400_that_names_the_field(erp: APIClient, policy, body, field) -> None:
    answer = erp.post(RUNS, body)
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith("application/problem+json")
    assert set(answer.json()["errors"]) == {field}
    assert not TierRun.objects.exists()


def test_a_draft_can_be_tried_and_decides_nothing(erp: APIClient, policy: TierPolicy) -> None:
    draft = TierPolicy.objects.create(name="stricter", a_share="0.5000")
    refused = erp.post(RUNS, {"as_of": "2026-06-16", "policy": draft.pk})
    assert (refused.status_code, set(refused.json()["errors"])) == (400, {"policy"})
    asked = erp.post(RUNS, {"as_of": "2026-06-16", "policy": draft.pk, "dry_run": True})
    assert (asked.status_code, asked.json()["policy"]) == (202, draft.pk)


def test_today_may_be_asked_for(erp: APIClient, policy) -> None:
    assert erp.post(RUNS, {"as_of": "2026-06-17"}).status_code == 202


def test_a_run_needs_tiers_write(client_of, rep: User, director: User, policy) -> None:
    assert client_of(rep).post(RUNS, {"as_of": "2026-06-16"}).status_code == 403
    reader = client_of(director, ["tiers:read"])
    assert reader.post(RUNS, {"as_of": "2026-06-16"}).status_code == 403
    assert reader.get(RUNS).status_code == 200
    assert client_of(director, ["orders:read"]).get(RUNS).status_code == 403
    assert client_of(director).post(RUNS, {"as_of": "2026-06-16"}).status_code == 202


def test_changes_are_those_of_customers_in_sight(
    client_of, run_as_of, rep: User, stranger: User, manager: User
) -> None:
    for owner in (rep, stranger):
        make_order(make_customer(owner=owner, name=f"of {owner.username}"), 10)
    run = run_as_of()
    for user, names in [
        (rep, ["of rep"]),
        (stranger, ["of stranger"]),
        (manager, ["of rep"]),
    ]:
        found = client_of(user).get(f"{RUNS}{run.pk}/changes/").json()["results"]
        assert [row["customer_name"] for row in found] == names


def test_changes_come_by_rank_in_pages_and_can_be_filtered(
    erp: APIClient, run_as_of, django_assert_num_queries
) -> None:
    for number in range(7):
        make_order(make_customer(external_id=str(number)), 100 - number)
    run = run_as_of()
    url = f"{RUNS}{run.pk}/changes/"
    page = erp.get(url, {"page_size": 3}).json()
    names = [row["customer_external_id"] for row in page["results"]]
    while page["next"]:
        page = erp.get(page["next"]).json()
        names += [row["customer_external_id"] for row in page["results"]]
    assert names == [str(number) for number in range(7)]
    assert len(erp.get(url, {"to_tier": "A"}).json()["results"]) == run.counts["A"]
    assert len(erp.get(url, {"from_tier": "none", "move": "new"}).json()["results"]) == 7
    assert erp.get(url, {"move": "up"}).json()["results"] == []
    assert erp.get(url, {"move": "sideways"}).status_code == 400
    assert erp.get(url, {"tier": "A"}).status_code == 400
    with django_assert_num_queries(QUERIES["changes"]):
        erp.get(url)


#: Key and user; the run; the page.
QUERIES = {"changes": 3, "list": 2, "policies": 2}


def test_lists_cost_the_same_however_long(
    erp: APIClient, run_as_of, policy, django_assert_num_queries
) -> None:
    erp.get(RUNS)
    for day in range(1, 6):
        run_as_of(date(2026, 6, day), now=NOW + timedelta(minutes=day))
    with django_assert_num_queries(QUERIES["list"]):
        found = erp.get(RUNS).json()["results"]
    assert [row["as_of"] for row in found] == [f"2026-06-0{day}" for day in (5, 4, 3, 2, 1)]
    assert erp.get(RUNS, {"state": "queued"}).json()["results"] == []
    assert len(erp.get(RUNS, {"as_of": "2026-06-03", "dry_run": "false"}).json()["results"]) == 1
    with django_assert_num_queries(QUERIES["policies"]):
        [row] = erp.get("/api/v1/tier-policies/").json()["results"]
    assert (row["window_months"], row["a_share"], row["b_share"]) == (12, "0.8000", "0.9500")
    assert (row["measure"], row["ranked_within"], row["downgrade_runs"]) == ("amount", "company", 1)
    assert sum(row["key_weights"].values()) == sum(row["potential_weights"].values()) == 100
    assert erp.get(f"/api/v1/tier-policies/{row['id']}/").json() == row


def test_policies_are_made_and_read_but_never_edited(erp: APIClient, policy: TierPolicy) -> None:
    assert erp.post("/api/v1/tier-policies/", {}).status_code == 400
    one = f"/api/v1/tier-policies/{policy.pk}/"
    assert [erp.put(one, {}).status_code, erp.patch(one, {}).status_code] == [405, 405]


def test_a_run_out_of_the_list_is_a_404(erp: APIClient, policy) -> None:
    assert erp.get(f"{RUNS}999999/").status_code == 404
    assert erp.get(f"{RUNS}999999/changes/").status_code == 404


def test_customers_say_their_reason(erp: APIClient, run_as_of) -> None:
    make_order(make_customer(external_id="C-1"), 10)
    run_as_of()
    [row] = erp.get("/api/v1/customers/").json()["results"]
    assert row["abc"] == row["tiers"]["abc"] == "A"
    assert row["tiers"]["as_of"] == "2026-06-16"
    assert row["tiers"]["reason"]


def test_customers_say_score_loyalty_and_key_account(erp: APIClient, run_as_of) -> None:
    customer = make_customer(external_id="C-1")
    for month in (1, 2, 3, 4, 5, 6):
        make_order(customer, 10, ordered_at=local(2026, month, 10))
    run_as_of()
    Customer.objects.filter(pk=customer.pk).update(key_account=True)
    [row] = erp.get("/api/v1/customers/").json()["results"]
    # volume 100 × 25, frequency 6 of 12 × 15, switcher 50 × 15: of the weights 25 + 15 + 15
    assert row["tiers"]["score"] == (100 * 25 + 50 * 15 + 50 * 15) // 55
    assert row["loyalty"] == row["tiers"]["loyalty"] == "switcher"
    assert row["key_account"] is True


def test_a_tier_set_by_hand_says_who_why_and_until_when(
    erp: APIClient, run_as_of, manager: User
) -> None:
    make_order(make_customer(external_id="C-0"), 990)
    customer = make_customer(external_id="C-1")
    make_order(customer, 10)
    run_as_of()
    TierOverride.objects.create(
        customer=customer, tier="A", reason="new shop", by=manager,
        first_on=date(2026, 6, 17), until=date(2026, 6, 30),
    )  # fmt: skip
    later = run_as_of(now=NOW + timedelta(minutes=1))
    assert later.overridden == 1
    erp.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    [row] = erp.get("/api/v1/customers/", {"search": "C-1"}).json()["results"]
    assert row["abc"] == "A"
    assert row["tiers"]["reason"].startswith(
        "Manager set A until 2026-06-30: new shop; the computation gives C: 12-month net 10; rank 2"
    )
    [change] = erp.get(f"{RUNS}{later.pk}/changes/").json()["results"]
    assert (change["cause"], change["from_tier"], change["to_tier"]) == ("override", "C", "A")
    assert "new shop" in change["reason"]


def test_an_open_run_shows_its_progress(erp: APIClient, policy) -> None:
    asked = erp.post(RUNS, {"as_of": "2026-06-16"}).json()
    TierRun.objects.filter(pk=asked["id"]).update(state=RunState.RUNNING, progress=60)
    found = erp.get(f"{RUNS}{asked['id']}/").json()
    assert (found["state"], found["progress"]) == ("running", 60)


POLICIES = "/api/v1/tier-policies/"


def test_p13_an_integration_tries_a_draft_and_puts_a_version_into_force(
    erp: APIClient, policy: TierPolicy, django_capture_on_commit_callbacks
) -> None:
    draft = erp.post(POLICIES, {"a_share": "0.7000", "key_weights": {"volume": 100}})
    assert draft.status_code == 201, draft.json()
    kept = draft.json()
    assert (kept["name"], kept["revision"], kept["effective_from"]) == (policy.name, 2, None)
    assert (kept["a_share"], kept["b_share"]) == ("0.7000", "0.9500")
    assert kept["key_weights"]["volume"] == 100
    assert kept["key_weights"]["margin"] == 0
    with django_capture_on_commit_callbacks():
        asked = erp.post(RUNS, {"as_of": "2026-06-16", "policy": kept["id"], "dry_run": True})
    assert asked.status_code == 202
    made = erp.post(POLICIES, {"a_share": "0.7000", "effective_from": "2026-07-01"}).json()
    assert (made["revision"], made["effective_from"]) == (3, "2026-07-01")
    assert TierPolicy.objects.in_force(date(2026, 7, 1)).get(pk=made["id"])
    assert TierPolicy.objects.in_force(date(2026, 6, 30)).first() == policy


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"a_share": "0.9600"}, ""),
        ({"a_share": "1.5", "effective_from": "2026-07-01"}, ""),
        ({"a_share": "0.7", "effective_from": "2026-06-16"}, "effective_from"),
        ({"effective_from": "2026-07-01"}, ""),
        ({"key_weights": {"luck": 1}}, "key_weights"),
        ({"key_weights": "x"}, "key_weights"),
        ({"key_weights": "x", "effective_from": "2026-07-01"}, "key_weights"),
        ({"measure": "luck"}, "measure"),
        ({"window_months": 0}, "window_months"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(
    erp: APIClient, policy: TierPolicy, body: dict[str, object], field: str
) -> None:
    refused = erp.post(POLICIES, body)
    assert refused.status_code == 400
    assert refused["Content-Type"] == "application/problem+json"
    if field:
        assert field in refused.json()["errors"]
    assert TierPolicy.objects.count() == 1


def test_a_policy_is_made_by_who_may_write(client_of, rep: User, policy: TierPolicy) -> None:
    assert client_of(rep).get(POLICIES).status_code == 200
    assert client_of(rep).post(POLICIES, {"a_share": "0.7"}).status_code == 403
