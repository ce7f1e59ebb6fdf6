"""P49 in the browser: try figures, keep them under a name, compare, take away."""

from __future__ import annotations

import csv
import io
from fractions import Fraction

import pytest
from django.contrib.messages import get_messages

from accounts.models import AuditEntry, User
from tests.factories import make_scenario, make_user
from tiers.models import Scenario

URL = "/tiers/customer-share/"
HTMX = {"HX-Request": "true", "HX-Target": "outcome"}
EXAMPLE = {
    "population": "5,000,000",
    "age_share": "15",
    "reachable_share": "20 %",
    "valid_share": "2/3",
    "spender_share": "20",
    "yearly_spend": "3000",
}


def text(response) -> str:
    return str(response.content.decode())


def undo_of(answer) -> str:
    found = (message.extra_tags for message in get_messages(answer.wsgi_request))
    return next(tags for tags in found if tags)


def saving(name: str, **changes: str) -> dict[str, str]:
    return {**EXAMPLE, "act": "save", "name": name, "division": "", "notes": "", **changes}


class TestCalculating:
    def test_it_begins_with_the_worked_example(self, as_, director: User) -> None:
        answer = as_(director).get(URL)
        shown = answer.context["shown"]
        assert (shown.group, shown.reachable, shown.won) == (750_000, 150_000, 100_000)
        assert str(shown.revenue) == "60000000.00"
        page = text(answer)
        assert "The figures are an example" in page
        assert "66.7\xa0%" in page
        assert "¥60.00M" in page
        assert 'value="2/3"' in page

    def test_the_results_follow_the_typing(self, as_, director: User) -> None:
        answer = as_(director).get(URL, {**EXAMPLE, "population": "100万"}, headers=HTMX)
        part = text(answer)
        assert part.strip().startswith('<div class="stack tall" id="outcome"')
        assert "¥12.00M" in part
        assert "<form" not in part
        assert "population=100%E4%B8%87" in answer["HX-Push-Url"]
        assert "HX-Request" in answer["Vary"]

    def test_a_share_above_all_of_them_is_named(self, as_, director: User) -> None:
        for headers in (HTMX, {}):
            page = text(as_(director).get(URL, {**EXAMPLE, "age_share": "150"}, headers=headers))
            assert "Of the right age, %" in page
            assert "A share is at most 100 %, this one is 150\xa0%." in page
            assert "Customers won" not in page.partition("Saved calculations")[0]

    @pytest.mark.parametrize(
        ("name", "value", "says"),
        [
            ("population", "0", "The number lies between 1 and 10,000,000,000."),
            ("population", "1.5", "Give a whole number."),
            ("population", "many", "Give a number such as 5,000,000."),
            ("yearly_spend", "-1", "The number lies between 0 and 1,000,000,000."),
            ("yearly_spend", "1.005", "Give at most 2 decimal places."),
            ("yearly_spend", "", "This field is required."),
        ],
    )
    def test_other_figures_are_checked_too(
        self, as_, director: User, name: str, value: str, says: str
    ) -> None:
        assert says in text(as_(director).get(URL, {**EXAMPLE, name: value}, headers=HTMX))

    def test_without_a_script_the_button_leads_to_the_address_of_the_figures(
        self, as_, director: User
    ) -> None:
        browser = as_(director)
        answer = browser.post(URL, {**EXAMPLE, "act": "compute", "csrfmiddlewaretoken": "x"})
        assert answer["Location"].startswith(f"{URL}?population=5%2C000%2C000&age_share=15&")
        assert "csrf" not in answer["Location"]
        assert browser.get(answer["Location"]).context["shown"].won == 100_000
        assert not Scenario.objects.exists()

    def test_it_is_for_who_reads_reports(self, as_, rep: User) -> None:
        kept = make_scenario(make_user(), shared=True)
        browser = as_(rep)
        for path in ("", "compare/", "export/", f"{kept.pk}/"):
            assert browser.get(f"{URL}{path}").status_code == 403
        for path in ("", f"{kept.pk}/", f"{kept.pk}/delete/", f"{kept.pk}/restore/"):
            assert browser.post(f"{URL}{path}", saving("x")).status_code == 403


class TestKeeping:
    def test_a_calculation_is_kept_exactly(self, as_, director: User) -> None:
        answer = as_(director).post(URL, saving("绍兴", division="绍兴市", notes="by survey"))
        kept = Scenario.objects.get()
        assert answer["Location"] == f"{URL}{kept.pk}/"
        assert (kept.owner, kept.division, kept.shared) == (director, "330600", False)
        assert (kept.population, kept.valid_share) == (5_000_000, "2/3")
        assert kept.inputs.valid_share == Fraction(2, 3)
        page = text(as_(director).get(answer["Location"]))
        assert 'value="15"' in page
        assert 'value="330600 绍兴市"' in page

    def test_what_does_not_fit_is_not_kept(self, as_, director: User) -> None:
        browser = as_(director)
        answer = browser.post(URL, saving("x", age_share="150", division="Atlantis"))
        assert answer.status_code == 422
        assert "this one is 150\xa0%" in text(answer)
        assert "No area is called" in text(answer)
        browser.post(URL, saving("x"))
        again = browser.post(URL, saving("x"))
        assert again.status_code == 422
        assert "You have a calculation of this name already." in text(again)
        assert again.context["shown"].won == 100_000
        assert Scenario.objects.count() == 1

    def test_it_is_renamed_and_changed_and_saved_as_another(self, as_, director: User) -> None:
        kept = make_scenario(director, "Draft")
        browser = as_(director)
        url = f"{URL}{kept.pk}/"
        changed = saving("Final", population="6000000", version=str(kept.version), shared="on")
        assert browser.post(url, changed)["Location"] == url
        kept.refresh_from_db()
        assert (kept.name, kept.population, kept.shared) == ("Final", 6_000_000, True)
        copy = browser.post(URL, saving("Final 2", version="1"))
        assert copy["Location"] != url
        assert set(Scenario.objects.values_list("name", flat=True)) == {"Final", "Final 2"}
        assert AuditEntry.objects.of(kept).count() == 2

    def test_other_figures_can_be_tried_on_a_kept_one(self, as_, director: User) -> None:
        kept = make_scenario(director, "Shaoxing")
        answer = as_(director).get(f"{URL}{kept.pk}/", {**EXAMPLE, "population": "1000000"})
        assert answer.context["shown"].won == 20_000
        assert 'value="1000000"' in text(answer)
        assert "Back to the saved ones" in text(answer)
        kept.refresh_from_db()
        assert kept.population == 5_000_000

    def test_two_people_at_once(self, as_, director: User, administrator: User) -> None:
        kept = make_scenario(director, "Shaoxing", shared=True)
        seen = str(kept.version)
        with_name = saving("Renamed", version=seen, shared="on")
        assert as_(administrator).post(f"{URL}{kept.pk}/", with_name).status_code == 302
        late = as_(director).post(f"{URL}{kept.pk}/", saving("Mine", version=seen))
        assert late.status_code == 422
        assert "Shaoxing → Renamed" in text(late)
        assert 'value="Mine"' in text(late)
        kept.refresh_from_db()
        assert kept.name == "Renamed"

    def test_private_ones_are_for_their_owner_shared_ones_for_all(
        self, as_, director: User, manager: User
    ) -> None:
        private, shared = (
            make_scenario(director, "Shaoxing"),
            make_scenario(director, "Ours", shared=True),
        )
        browser = as_(manager)
        assert browser.get(f"{URL}{private.pk}/").status_code == 404
        assert browser.post(f"{URL}{private.pk}/", saving("x")).status_code == 404
        assert browser.post(f"{URL}{private.pk}/delete/").status_code == 404
        page = text(browser.get(URL))
        assert "Ours" in page
        assert "Shaoxing" not in page
        seen = text(browser.get(f"{URL}{shared.pk}/"))
        assert "Save as a new one" in seen
        assert "Save the calculation" not in seen
        version = str(shared.version)
        assert browser.post(f"{URL}{shared.pk}/", saving("x", version=version)).status_code == 403
        assert browser.post(f"{URL}{shared.pk}/delete/").status_code == 403

    def test_a_deleted_one_comes_back(self, as_, director: User, manager: User) -> None:
        kept = make_scenario(director, "Shaoxing", notes="keep")
        browser = as_(director)
        undo = undo_of(browser.post(f"{URL}{kept.pk}/delete/"))
        assert not Scenario.objects.exists()
        assert as_(manager).post(undo).status_code == 404
        browser = as_(director)
        assert browser.post(undo)["Location"] == f"{URL}{kept.pk}/"
        back = Scenario.objects.get()
        assert (back.pk, back.inputs, back.notes) == (kept.pk, kept.inputs, "keep")
        assert browser.post(undo).status_code == 302  # the second press changes nothing
        assert Scenario.objects.count() == 1

    def test_it_stays_away_where_its_name_is_taken_again(self, as_, director: User) -> None:
        browser = as_(director)
        kept = make_scenario(director, "Shaoxing")
        undo = undo_of(browser.post(f"{URL}{kept.pk}/delete/"))
        make_scenario(director, "Shaoxing")
        assert browser.post(undo)["Location"] == URL
        assert Scenario.objects.count() == 1


class TestSeveral:
    def test_they_stand_side_by_side(self, as_, director: User, manager: User) -> None:
        one = make_scenario(director, "A cautious one")
        other = make_scenario(director, "B bold one", reachable_share="3/10")
        private = make_scenario(manager, "Private")
        answer = as_(director).get(f"{URL}compare/", {"of": [other.pk, one.pk, private.pk, "x"]})
        found = [
            (kept.name, str(shown.revenue)) for kept, shown, _area in answer.context["columns"]
        ]
        assert found == [("A cautious one", "60000000.00"), ("B bold one", "90000000.00")]
        page = text(answer)
        assert "+30,000,000" in page
        assert "2/3" in page

    def test_fewer_than_two_are_not_compared(self, as_, director: User) -> None:
        one = make_scenario(director, "Shaoxing")
        make_scenario(director, "Other")
        for query in ({}, {"of": one.pk}, {"of": "9" * 30}):
            assert as_(director).get(f"{URL}compare/", query)["Location"] == URL

    def test_at_most_six_fit(self, as_, director: User) -> None:
        ids = [make_scenario(director, f"S {number}").pk for number in range(7)]
        answer = as_(director).get(f"{URL}compare/", {"of": ids})
        assert len(answer.context["columns"]) == 6
        assert "At most 6 stand side by side" in text(answer)

    def test_they_are_taken_away_as_a_table(self, as_, director: User) -> None:
        one = make_scenario(director, "=cmd", division="330600")
        make_scenario(director, "Other")
        browser = as_(director)

        def rows(**query: object) -> list[list[str]]:
            answer = browser.get(f"{URL}export/", {"format": "csv", **query})
            body = b"".join(answer.streaming_content).decode("utf-8-sig")
            return list(csv.reader(io.StringIO(body)))

        head, first, second = rows()
        assert (first[0], first[1], second[0]) == ("'=cmd", "绍兴市", "Other")
        assert first[head.index("Revenue")] == "60000000.00"
        assert first[head.index("Customer share")] == "0.666667"
        assert len(rows(of=one.pk)) == 2


PAGES = {URL: 3, f"{URL}compare/?of={{one}}&of={{two}}": 3, f"{URL}{{one}}/": 4}


@pytest.mark.parametrize("page", PAGES)
def test_pages_cost_the_same_however_many(
    as_, director: User, page: str, django_assert_num_queries
) -> None:
    one, two = make_scenario(director, "Shaoxing"), make_scenario(director, "Two")
    url = page.format(one=one.pk, two=two.pk)
    browser = as_(director)
    browser.get(url)
    for number in range(30):
        make_scenario(make_user(), f"More {number}", shared=True)
    with django_assert_num_queries(PAGES[page]):
        assert browser.get(url).status_code == 200
