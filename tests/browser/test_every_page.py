"""Each role opens all that its rail offers, and nothing there is broken."""

from __future__ import annotations

import pytest

from tests.browser.conftest import USERNAMES, SignIn
from tests.browser.person import DESKTOP, PHONE, SMALL_PHONE, Person


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
