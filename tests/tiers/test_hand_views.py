"""What people decide, in the browser: overrides, key accounts, ratings, and the tier page."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.utils import timezone

from accounts.models import User
from customers.models import Customer, Profile
from tests.factories import local, make_customer, make_order, make_user
from tests.tiers.conftest import NOW
from tiers import keyaccounts, overrides
from tiers.models import Assessment, KeyAccount, Rating, TierOverride

HTMX = {"HX-Request": "true"}
TODAY = date(2026, 6, 17)
LIST = "/tiers/overrides/"
KEYS = "/tiers/key-accounts/"
POTENTIAL = "/tiers/key-accounts/potential/"


@pytest.fixture(autouse=True)
def today(db: None):
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def ranked(rep: User, run_as_of) -> Customer:
    """The rep's customer, a C by its orders; 80 % and more are brought by another one."""
    make_order(make_customer(external_id="0", name="Big"), 900)
    customer = make_customer(external_id="1", name="Small", owner=rep)
    make_order(customer, 40)
    make_order(make_customer(external_id="2", name="Middle"), 60)
    run_as_of()
    customer.refresh_from_db()
    assert customer.abc == "C"
    return customer


def text(response) -> str:
    return " ".join(response.content.decode().split())


def rows_of(response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))


def undo_of(answer) -> str:
    found = (message.extra_tags for message in get_messages(answer.wsgi_request))
    return [tags for tags in found if tags][-1]


def given(**changes: str) -> dict[str, str]:
    return {"tier": "A", "reason": "New partner", "span": "month", "until": "", **changes}


def override(customer: Customer, by: User, **values) -> TierOverride:
    usual = {"tier": "A", "reason": "New partner", "until": date(2026, 7, 31), "now": NOW}
    return overrides.set_tier(customer=customer, by=by, today=TODAY, **{**usual, **values})


def page_of(customer: Customer) -> str:
    return f"/tiers/of-customer/{customer.pk}/"


class TestSettingATier:
    def test_a_manager_sets_one_and_takes_it_back(self, as_, manager: User, ranked) -> None:
        browser = as_(manager)
        url = f"{page_of(ranked)}override/"
        form = text(browser.get(url))
        assert "The computation says C." in form
        assert "12-month net 40; rank 3 of 3" in form
        assert "End of the month (30 Jun)" in form
        assert "End of the quarter" not in form  # the same day
        answer = browser.post(url, given())
        assert answer["Location"] == page_of(ranked)
        made = TierOverride.objects.get()
        assert (made.tier, made.until, made.by) == ("A", date(2026, 6, 30), manager)
        page = text(browser.get(page_of(ranked)))
        assert "Manager set A by hand, until 2026-06-30." in page
        assert "New partner" in page
        assert "Set by hand: C to A" in page
        assert "Set the tier by hand" not in page
        part = text(browser.get(page_of(ranked), headers=HTMX))
        assert "set by hand until 30 Jun" in part
        assert "Why A" in part
        browser.post(undo_of(answer))
        ranked.refresh_from_db()
        assert ranked.abc == "C"
        assert "No longer set by hand: A to C" in text(browser.get(page_of(ranked)))

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"tier": ""}, "This field is required."),
            ({"reason": " "}, "This field is required."),
            ({"span": "day"}, "Give the last day."),
            ({"span": "day", "until": "2026-06-16"}, "This day is over."),
            ({"span": "day", "until": "2036-06-16"}, "At most two years from now."),
            ({"span": "day", "until": "soon"}, "Enter a valid date."),
            ({"span": "century"}, "Select a valid choice."),
        ],
    )
    def test_what_does_not_fit_is_said_and_kept(
        self, as_, manager: User, ranked, changes, says: str
    ) -> None:
        answer = as_(manager).post(f"{page_of(ranked)}override/", given(**changes))
        assert answer.status_code == 422
        assert says in text(answer)
        assert not TierOverride.objects.exists()

    def test_a_preset_wins_over_a_day_left_in_its_field(self, as_, manager: User, ranked) -> None:
        as_(manager).post(f"{page_of(ranked)}override/", given(span="year", until="nonsense"))
        assert TierOverride.objects.get().until == date(2026, 12, 31)

    def test_it_is_changed_and_ended(self, as_, manager: User, ranked) -> None:
        made = override(ranked, manager)
        browser = as_(manager)
        url = f"{LIST}{made.pk}/"
        assert browser.get(f"{page_of(ranked)}override/")["Location"] == url
        form = text(browser.get(url))
        assert 'value="2026-07-31"' in form
        changed = given(
            tier="B", reason="Less", span="day", until="2026-08-31", version=str(made.version)
        )
        assert browser.post(url, changed)["Location"] == page_of(ranked)
        made.refresh_from_db()
        ranked.refresh_from_db()
        assert (made.tier, made.until, ranked.abc) == ("B", date(2026, 8, 31), "B")
        undo = undo_of(browser.post(f"{url}end/"))
        ranked.refresh_from_db()
        assert ranked.abc == "C"
        assert browser.get(url)["Location"] == page_of(ranked)
        browser.post(undo)
        ranked.refresh_from_db()
        assert ranked.abc == "B"

    def test_two_people_at_once(self, as_, manager: User, director: User, ranked) -> None:
        made = override(ranked, manager)
        seen = str(made.version)
        with_reason = given(span="day", until="2026-07-31", version=seen)
        url = f"{LIST}{made.pk}/"
        assert as_(director).post(url, {**with_reason, "reason": "Chief"}).status_code == 302
        late = as_(manager).post(url, {**with_reason, "reason": "Mine"})
        assert late.status_code == 422
        assert "New partner → Chief" in text(late)
        assert "Mine" in text(late)
        made.refresh_from_db()
        assert made.reason == "Chief"
        # and where both set one for the first time
        overrides.end(override=made, by=manager, now=NOW)
        first = as_(director).post(f"{page_of(ranked)}override/", given())
        assert first.status_code == 302
        second = as_(manager).post(f"{page_of(ranked)}override/", given(tier="B"))
        assert "This customer has an override already." in text(second)

    def test_it_needs_the_right_and_the_customer_in_sight(
        self, as_, rep: User, stranger: User, manager: User, ranked
    ) -> None:
        made = override(ranked, manager)
        paths = [f"{page_of(ranked)}override/", f"{LIST}{made.pk}/", f"{LIST}{made.pk}/end/"]
        other = make_user("other", role="manager")
        for user, status in [(rep, 403), (other, 404)]:
            browser = as_(user)
            for path in [*paths, f"{LIST}{made.pk}/reopen/"]:
                assert browser.post(path, given()).status_code == status
        page = text(as_(rep).get(page_of(ranked)))
        assert "Manager set A by hand" in page
        assert "End it now" not in page
        assert as_(stranger).get(page_of(ranked)).status_code == 404

    def test_one_that_has_expired_is_told_as_such(self, as_, manager: User, ranked) -> None:
        override(ranked, manager, until=TODAY)
        with time_machine.travel(local(2026, 6, 18, 0, 1)):
            page = text(as_(manager).get(page_of(ranked)))
            assert "What was set by hand, A, counted until 2026-06-17." in page
            assert "set by hand until" not in text(as_(manager).get(page_of(ranked), headers=HTMX))
            assert text(as_(manager).get(LIST)).count("Small") == 0
            assert "Small" in text(as_(manager).get(LIST, {"state": "expired"}))


class TestListOfOverrides:
    @pytest.fixture
    def some(self, manager: User, ranked) -> list[TierOverride]:
        """In force till July, in force till June, ended early, expired; the last a stranger's."""
        owner = ranked.owner
        july = override(ranked, manager)
        june = override(make_customer(name="June", owner=owner), manager, until=date(2026, 6, 30))
        ended = override(make_customer(name="Ended", owner=owner), manager, tier="B")
        overrides.end(override=ended, by=manager, now=NOW)
        expired = override(make_customer(name="Expired", owner=owner), manager)
        TierOverride.objects.filter(pk=expired.pk).update(
            first_on=date(2026, 1, 1), until=date(2026, 6, 16)
        )
        override(make_customer(name="Foreign", owner=make_user("far")), manager)
        return [july, june, ended, expired]

    def test_tabs_and_filters(self, as_, manager: User, director: User, some) -> None:
        def names(user: User, **query: str) -> list[str]:
            found = as_(user).get(LIST, query).context["page"].rows
            return [one.customer.name for one in found]

        assert names(manager) == ["June", "Small"]
        assert names(manager, state="in_force") == ["June", "Small"]
        assert names(manager, state="ended") == ["Ended"]
        assert names(manager, state="expired") == ["Expired"]
        assert names(manager, state="all") == ["Expired", "Ended", "June", "Small"]
        assert names(manager, state="all", tier="B") == ["Ended"]
        assert "Foreign" in names(director)
        assert names(director, owner="rep") == ["June", "Small"]
        assert names(manager, owner="far") == []
        assert names(manager, until_to="2026-06-30") == ["June"]

    def test_who_why_and_until_are_there(self, as_, rep: User, some) -> None:
        page = text(as_(rep).get(LIST))
        for words in ("Small", "New partner", "2026-07-31", "Manager · 17 Jun"):
            assert words in page
        assert f'href="{LIST}' not in page.partition('id="results"')[2]  # she changes nothing

    def test_empty_states(self, as_, manager: User) -> None:
        browser = as_(manager)
        assert "Every tier is computed" in text(browser.get(LIST))
        assert "No override here yet" in text(browser.get(LIST, {"state": "all"}))
        assert "No override fits these filters" in text(browser.get(LIST, {"tier": "A"}))

    def test_it_is_taken_away_as_a_table(self, as_, manager: User, some) -> None:
        head, *rows = rows_of(as_(manager).get(f"{LIST}export/", {"state": "all", "format": "csv"}))
        found = [(row[head.index("Customer")], row[head.index("State")]) for row in rows]
        assert found == [
            ("Expired", "Expired"),
            ("Ended", "Ended early"),
            ("June", "In force"),
            ("Small", "In force"),
        ]
        assert rows[1][head.index("Ended by")] == "Manager"


@pytest.fixture
def scored(ranked, manager: User) -> dict[str, Assessment]:
    """Scores of 90, 70, 69 and none; the first is a key account; a stranger's of 99."""
    found = {}
    for name, score in [("Top", 90), ("Edge", 70), ("Below", 69), ("Unknown", None)]:
        customer = make_customer(name=name, owner=ranked.owner, net_amount=Decimal("5000.00"))
        found[name] = Assessment.objects.create(
            customer=customer, as_of=TODAY, key_score=score, key_volume=score, key_loyalty=0
        )
    keyaccounts.confirm(customer=found["Top"].customer, reason="Big", by=manager, now=NOW)
    foreign = make_customer(name="Foreign", owner=make_user("far"))
    Assessment.objects.create(customer=foreign, as_of=TODAY, key_score=99)
    return found


class TestKeyAccounts:
    def test_proposed_confirmed_and_all(self, as_, manager: User, director: User, scored) -> None:
        def names(user: User = manager, **query: str) -> list[str]:
            found = as_(user).get(KEYS, query).context["page"].rows
            return [one.customer.name for one in found]

        assert names() == ["Edge"]
        assert names(state="confirmed") == ["Top"]
        everyone = names(state="all")
        assert [name for name in everyone if name != "Small"] == ["Top", "Edge", "Below"]
        assert names(director)[0] == "Foreign"
        assert names(state="all", abc="A") == []
        assert names(state="all", owner="far") == []
        page = text(as_(manager).get(KEYS, {"state": "confirmed"}))
        assert "Manager · 17 Jun" in page
        assert "<title>volume: 90; frequency of purchase: unknown; margin: unknown;" in page

    def test_a_confirmed_one_without_a_score_is_not_lost(self, as_, manager: User, scored) -> None:
        keyaccounts.confirm(customer=scored["Unknown"].customer, reason="x", by=manager, now=NOW)
        page = as_(manager).get(KEYS, {"state": "confirmed"})
        assert [one.customer.name for one in page.context["page"].rows] == ["Top", "Unknown"]

    def test_confirming_and_undoing_it(self, as_, manager: User, scored) -> None:
        customer = scored["Edge"].customer
        browser = as_(manager)
        url = f"{page_of(customer)}confirm/"
        assert "Volume" in text(browser.get(url, {"next": KEYS}))
        assert browser.post(url, {"reason": " "}).status_code == 422
        answer = browser.post(url, {"reason": "Loyal", "next": KEYS})
        assert answer["Location"] == KEYS
        customer.refresh_from_db()
        assert customer.key_account
        assert KeyAccount.objects.open().get(customer=customer).score == 70
        assert "Confirmed by Manager, 17 Jun." in text(browser.get(page_of(customer)))
        assert "already" in text(browser.post(url, {"reason": "again"}))
        browser.post(undo_of(answer))
        customer.refresh_from_db()
        assert not customer.key_account

    def test_withdrawing_and_undoing_it(self, as_, manager: User, scored) -> None:
        customer = scored["Top"].customer
        word = KeyAccount.objects.get()
        browser = as_(manager)
        url = f"{KEYS}{word.pk}/withdraw/"
        assert "Big" in text(browser.get(url))
        assert browser.post(url, {"reason": ""}).status_code == 422
        answer = browser.post(url, {"reason": "Gone", "next": "https://evil.example/"})
        assert answer["Location"] == page_of(customer)
        customer.refresh_from_db()
        assert not customer.key_account
        browser.post(undo_of(answer))
        customer.refresh_from_db()
        assert customer.key_account

    def test_it_needs_the_right_and_the_customer_in_sight(
        self, as_, rep: User, scored, manager: User
    ) -> None:
        word, customer = KeyAccount.objects.get(), scored["Edge"].customer
        other = make_user("other", role="manager")
        paths = [f"{page_of(customer)}confirm/"]
        paths += [f"{KEYS}{word.pk}/{act}/" for act in ("withdraw", "reinstate", "take-back")]
        for user, status in [(rep, 403), (other, 404)]:
            browser = as_(user)
            for path in paths:
                assert browser.post(path, {"reason": "x"}).status_code == status
        assert "/confirm/" not in text(as_(rep).get(KEYS))

    def test_it_is_taken_away_with_all_parts(self, as_, manager: User, scored) -> None:
        head, *rows = rows_of(
            as_(manager).get(f"{KEYS}export/", {"state": "confirmed", "format": "csv"})
        )
        [row] = rows
        told = dict(zip(head, row, strict=True))
        assert (told["Customer"], told["Score"], told["volume"]) == ("Top", "90", "90")
        assert (told["Confirmed by"], told["Reason"], told["margin"]) == ("Manager", "Big", "")

    def test_without_a_run_it_says_so(self, as_, manager: User) -> None:
        assert "No scores yet" in text(as_(manager).get(KEYS))
        assert "No potential is known yet" in text(as_(manager).get(POTENTIAL))


class TestPotential:
    @pytest.fixture
    def promising(self, ranked) -> None:
        for name, potential, share, purchase in [
            ("Second", 60, "0.2500", "1000000"),
            ("First", 80, "0.1000", None),
            ("None", None, None, None),
        ]:
            customer = make_customer(name=name, owner=ranked.owner)
            if purchase:
                Profile.objects.create(customer=customer, yearly_purchase=purchase)
            Assessment.objects.create(
                customer=customer,
                as_of=TODAY,
                potential=potential,
                potential_urgency=potential,
                wallet_share=share,
            )

    def test_the_highest_come_first_with_what_is_open(self, as_, manager: User, promising) -> None:
        answer = as_(manager).get(POTENTIAL)
        found = [(one.customer.name, open_) for one, _parts, open_ in answer.context["rows"]]
        assert found == [("First", None), ("Second", Decimal("750000.00"))]
        assert "750,000.00" in text(answer)
        head, *rows = rows_of(as_(manager).get(f"{POTENTIAL}export/", {"format": "csv"}))
        assert [row[head.index("Still open")] for row in rows] == ["", "750000.00"]

    def test_it_shows_what_is_in_sight(self, as_, stranger: User, promising) -> None:
        assert as_(stranger).get(POTENTIAL).context["rows"] == []


class TestTierPage:
    def test_it_says_how_far_the_lines_are(self, as_, manager: User, ranked) -> None:
        found = as_(manager).get(page_of(ranked)).context["distances"]
        # B: 960 before it are less than 95 % of 960 + 50.53. A: it has to overtake the 60, and
        # 900 are less than 80 % of 960 + 165.01.
        assert [(one.tier, one.least, one.missing) for one in found] == [
            ("A", Decimal("165.01"), Decimal("125.01")),
            ("B", Decimal("50.53"), Decimal("10.53")),
        ]

    def test_loyalty_is_shown_with_its_facts(self, as_, manager: User, ranked) -> None:
        page = text(as_(manager).get(page_of(ranked)))
        for words in (
            "1 of 12 months",
            "loyal from 8, switcher from 3",
            "No brand loyalty",
            "from 30.0\xa0%; unknown passes",
            "at most 3",
            "2 within 30 days of launch are enough alone",
        ):
            assert " ".join(words.split()) in page

    def test_a_downgrade_that_waits_is_told(self, as_, manager: User, ranked) -> None:
        Assessment.objects.filter(customer=ranked).update(
            held_runs=1, held_tier="C", held_since=TODAY, held_on=TODAY
        )
        page = text(as_(manager).get(page_of(ranked)))
        assert (
            "A downgrade to C waits: proposed in 1 of 1 runs in a row, first on 2026-06-17" in page
        )

    def test_the_tier_of_any_day_can_be_asked_for(self, as_, manager: User, ranked) -> None:
        Customer.objects.update(created_at=NOW - timedelta(days=10))
        with time_machine.travel(local(2026, 6, 20, 12)):
            overrides.set_tier(
                customer=ranked, tier="B", reason="x", until=date(2026, 6, 30), by=manager,
                now=timezone.now(), today=date(2026, 6, 20),
            )  # fmt: skip
            browser = as_(manager)
            for day, says in [
                ("2026-06-01", "Not on file yet on 2026-06-01."),
                ("2026-06-16", "unranked, or not looked at yet"),
                ("2026-06-17", 'tier-c" title="ABC tier C">C</span><span>at the end of 2026-06-17'),
                ("2026-06-20", 'tier-b" title="ABC tier B">B</span><span>at the end of 2026-06-20'),
            ]:
                assert says in text(browser.get(page_of(ranked), {"on": day}))
            for nonsense in ("x", "2026-02-30", "9999999", "0001-01-01"):
                answer = browser.get(page_of(ranked), {"on": nonsense})
                assert answer.status_code == 200
                assert "at the end of" not in text(answer)

    def test_its_history_is_turned_page_by_page(self, as_, manager: User, ranked) -> None:
        for hour in range(25):
            made = override(ranked, manager, now=NOW + timedelta(hours=2 * hour))
            overrides.end(override=made, by=manager, now=NOW + timedelta(hours=2 * hour + 1))
        browser = as_(manager)
        answer = browser.get(page_of(ranked))
        seen = [line.change.pk for line in answer.context["history"]]
        while answer.context["next_url"]:
            answer = browser.get(answer.context["next_url"])
            seen += [line.change.pk for line in answer.context["history"]]
        assert len(seen) == len(set(seen)) == 51
        assert seen == sorted(seen, reverse=True)
        assert "First tier: C" in text(answer)


class TestRatings:
    def test_a_rep_rates_what_she_knows(self, as_, rep: User, ranked) -> None:
        browser = as_(rep)
        url = f"{page_of(ranked)}rating/"
        assert text(browser.get(url)).count("<fieldset") == 5
        answer = browser.post(url, {"service_level": "0", "urgency": "10", "quality": ""})
        assert answer["Location"] == page_of(ranked)
        stored = Rating.objects.get()
        assert (stored.service_level, stored.urgency, stored.quality) == (0, 10, None)
        assert (stored.by, stored.customer) == (rep, ranked)
        page = text(browser.get(page_of(ranked)))
        assert "0 of 10" in page
        assert "10 of 10" in page
        for bad in ("11", "-1", "x", "5.5"):
            refused = browser.post(url, {"urgency": bad, "version": str(stored.version)})
            assert refused.status_code == 422

    def test_two_people_at_once(self, as_, rep: User, manager: User, ranked) -> None:
        keyaccounts.rate(rating=Rating(customer=ranked, urgency=3), by=rep, now=NOW)
        url = f"{page_of(ranked)}rating/"
        first = {"urgency": "4", "version": "1"}
        assert as_(manager).post(url, first).status_code == 302
        late = as_(rep).post(url, {"urgency": "9", "version": "1"})
        assert late.status_code == 422
        assert "3 → 4" in text(late)
        assert Rating.objects.get().urgency == 4

    def test_it_needs_the_customer_in_sight(self, as_, stranger: User, ranked) -> None:
        url = f"{page_of(ranked)}rating/"
        assert as_(stranger).get(url).status_code == 404
        assert as_(stranger).post(url, {"urgency": "4"}).status_code == 404


#: What each page may ask of the database, the session and the reader with it.
PAGES = {
    LIST: 9,
    f"{LIST}?state=all&owner=rep": 10,
    f"{KEYS}?state=all": 12,
    POTENTIAL: 11,
}


@pytest.mark.parametrize("url", PAGES)
def test_lists_cost_the_same_however_long(
    as_, manager: User, scored, ranked, url: str, django_assert_num_queries
) -> None:
    override(ranked, manager)
    browser = as_(manager)
    browser.get(url)
    for number in range(20):
        customer = make_customer(owner=ranked.owner)
        Assessment.objects.create(
            customer=customer, as_of=TODAY, key_score=number, potential=number
        )
        Profile.objects.create(customer=customer, yearly_purchase=10)
        override(customer, manager)
        keyaccounts.confirm(customer=customer, reason="x", by=manager, now=NOW)
    with django_assert_num_queries(PAGES[url]):
        assert browser.get(url).status_code == 200


def test_the_tier_page_costs_the_same_however_long_the_history(
    as_, manager: User, ranked, django_assert_num_queries
) -> None:
    browser = as_(manager)
    browser.get(page_of(ranked))
    for hour in range(5):
        made = override(ranked, manager, now=NOW + timedelta(hours=2 * hour))
        overrides.end(override=made, by=manager, now=NOW + timedelta(hours=2 * hour + 1))
    with django_assert_num_queries(16):
        browser.get(page_of(ranked))
    with django_assert_num_queries(8):
        browser.get(page_of(ranked), headers=HTMX)
