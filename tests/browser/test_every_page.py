"""Each role opens all that its rail offers, and nothing there is broken."""

from __future__ import annotations

import pytest

from tests.browser.conftest import USERNAMES, SignIn
from tests.browser.person import DESKTOP, PHONE, SMALL_PHONE, Person

#: Pages of one customer's file, below its address.
OF_A_FILE = (
    *("", "timeline/", "contacts/", "contacts/new/", "network/", "file/", "log/", "profile/"),
    *("edit/", "merge/", "promises/new/"),
)
#: Pages that no rail leads to.
BESIDE = (
    *("customers/new/", "customers/imports/", "customers/duplicates/", "customers/merges/"),
    "orders/stock-imports/",
    *("visits/information/sent/", "visits/information/report/", "visits/information/suggestions/"),
    *("customers/log/", "search/", "search/?q=sx", "runs/", "more/", "customers/?q=%3Cimg%3E"),
)


def rail(person: Person) -> list[str]:
    links = person.page.eval_on_selector_all(
        ".rail nav a", "all => all.map(a => a.getAttribute('href'))"
    )
    assert links
    return [str(link) for link in links]


@pytest.mark.parametrize("role", USERNAMES)
@pytest.mark.parametrize(("language", "size"), [("zh-hans", PHONE), ("en", DESKTOP)])
def test_every_page_of_the_rail_is_whole(
    signed_in: SignIn, role: str, language: str, size: tuple[int, int]
) -> None:
    person = signed_in(role, language, size)
    seen = set()
    for path in rail(person):
        person.go(path)
        for link in person.links():
            if link in seen or link.startswith(("/logout", "/admin")):
                continue
            seen.add(link)
            answer = person.window.request.get(link)
            assert answer.ok, f"{path} leads to {link}: {answer.status}"
    assert len(seen) > 3


@pytest.mark.parametrize("role", ["rep", "manager", "administrator"])
def test_long_english_fits_the_smallest_phone(signed_in: SignIn, role: str) -> None:
    person = signed_in(role, "en", SMALL_PHONE)
    for path in rail(person):
        person.go(path)


@pytest.mark.parametrize(
    ("role", "size"), [("rep", PHONE), ("manager", DESKTOP), ("administrator", DESKTOP)]
)
def test_every_page_of_the_rail_is_accessible(
    signed_in: SignIn, role: str, size: tuple[int, int]
) -> None:
    person = signed_in(role, "zh-hans", size)
    for path in rail(person):
        person.go(path)
        person.accessible()


def beyond_the_rail(person: Person) -> list[str]:
    """The pages of a file, of what stands on it, and those that other pages lead to."""
    found = [f"/{path}" for path in BESIDE]
    person.go("/customers/")
    file = person.page.locator("#results tbody a").first.get_attribute("href") or ""
    found += [f"{file}{path}" for path in OF_A_FILE]
    found.append(f"/orders/of-customer/{file.split('/')[2]}/stock/")
    for page, link in (
        ("/customers/promises/?state=all", "#results tbody a[href*='/promises/']"),
        (f"{file}contacts/", ".list a[href*='/contacts/']"),
        ("/orders/stock/", "#results tbody a[href*='/orders/stock/']"),
    ):
        person.go(page)
        if target := person.page.locator(link).first.get_attribute("href"):
            found.append(target)
    return found


@pytest.mark.parametrize(
    ("role", "language", "size"),
    [
        ("rep", "zh-hans", PHONE),
        ("rep", "en", SMALL_PHONE),
        ("manager", "en", DESKTOP),
        ("administrator", "zh-hans", DESKTOP),
    ],
)
def test_every_page_of_the_customer_file_is_whole_and_accessible(
    signed_in: SignIn, role: str, language: str, size: tuple[int, int]
) -> None:
    person = signed_in(role, language, size)
    pages = beyond_the_rail(person)
    assert len(pages) > len(BESIDE) + len(OF_A_FILE)
    for path in pages:
        person.go(path)
        person.accessible()
