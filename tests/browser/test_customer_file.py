"""A new user's first day with the customer file: a messy list comes in, is mended, cleaned of
duplicates and looked up, contacts and promises are noted, and in the end a leaver's customers go
to a colleague (P5, P6, P7, P32, P42).
"""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from playwright.sync_api import FilePayload, Locator
from playwright.sync_api import TimeoutError as WaitedInVain

from customers.names import spelled
from tests.browser.conftest import SignIn
from tests.browser.person import DESKTOP, PHONE, SMALL_PHONE, Person
from tests.customers.importing.dealers import WIDE, Dealer, dealers, text, workbook

MANY = 300
IN_EXCEL = 180
#: These stand in the list twice: in Excel, and written otherwise in the CSV.
TWINS = (0, 1)
#: A worker on a busy machine takes its time, milliseconds.
PATIENCE = 90_000


def a_list(mark: str) -> list[Dealer]:
    """The rows of a messy list; `mark` stands in every number and name, so that no two lists
    hold the same company."""
    rows = dealers(MANY)
    for row in rows:
        if row.cells[0]:
            row.cells[0] = f"{mark}-{row.cells[0]}"
        if row.cells[1]:
            row.cells[1] = row.cells[1].replace("有限公司", f"{mark}有限公司")
        row.number, row.name = (
            f"{mark}-{row.number}",
            row.name.replace("有限公司", f"{mark}有限公司"),
        )
        row.cells[4] = ""  # with tax numbers finding duplicates would be no art
    for at in TWINS:
        cells = list(rows[at].cells)
        cells[0], cells[1] = (
            f"{cells[0]}-2",
            cells[1].replace("有限公司", "（有限公司）").translate(WIDE),
        )
        rows.append(replace(rows[at], number=cells[0], name=cells[1], cells=cells))
    return rows


def payload(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def wait_for_worker(person: Person, shown: str) -> Locator:
    """Until the page has read itself again and shows what comes after the long step."""
    place = person.page.locator(shown).first
    place.wait_for(timeout=PATIENCE)
    person.look()
    return place


def submit(person: Person, button: Locator) -> None:
    """Press what leads to another page, and look at that."""
    with person.page.expect_navigation():
        button.click()
    person.look()


def press(person: Person, action: str) -> None:
    """Press the button of the form that posts to `action`, opening what it hides behind."""
    form = person.page.locator(f"form[action$='{action}']").first
    if not form.is_visible():
        person.page.locator("details.pop", has=form).first.locator("summary").click()
    submit(person, form.locator("button").first)


def new_colleague(signed_in: SignIn, username: str, name: str) -> str:
    """The administrator lets somebody in; answers the password she tells."""
    administrator = signed_in("administrator", "zh-hans", DESKTOP)
    page = administrator.page
    administrator.go("/users/new/")
    page.locator("[name=name]").fill(name)
    page.locator("[name=username]").fill(username)
    page.locator("[name=role]").select_option("rep")
    page.locator("[name=team]").select_option(label="浙北")
    page.locator("[name=entry][value=password]").locator("xpath=..").click()
    submit(administrator, page.locator("main form button.btn-primary").first)
    return page.locator("#secret").input_value()


# --- the steps


def bring_in(rep: Person, name: str, data: bytes) -> str:
    """Upload, confirm the columns, read the preview, write; answers the import's address."""
    page = rep.page
    rep.go("/customers/imports/")
    page.locator("main [type=file]").set_input_files(payload(name, data))
    submit(rep, page.locator("main form .btn-primary"))
    assert page.locator("[name^=column_]").count() == 11
    rep.accessible()
    submit(rep, page.locator("form:has([name=key]) .btn-primary:visible"))
    wait_for_worker(rep, "#h-next")
    assert page.locator("#h-rows").is_visible()
    rep.accessible()
    address = page.url
    press(rep, "/apply/")
    wait_for_worker(rep, "a[href*='imported=']")
    return address


def mend(rep: Person, address: str, rows: list[Dealer]) -> None:
    """Download the rejected rows, put them right, bring them in again; none is left over."""
    page = rep.page
    rep.go(address)
    with page.expect_download() as download:
        page.locator("a[href$='/rejected/?format=xlsx']").click()
    table = load_workbook(io.BytesIO(download.value.path().read_bytes())).active
    assert table is not None
    heads, *refused = [list(row) for row in table.iter_rows(values_only=True)]
    assert refused
    assert all(str(row[-1]).strip() for row in refused), "a row without a reason"
    if rep.language == "zh-hans":
        assert all(re.search("[\u4e00-\u9fff]", str(row[-1])) for row in refused)
    by_mobile = {str(row.mobile): row for row in rows}
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(heads)
    for row in refused:
        right = by_mobile[str(row[7])]
        row[0], row[1], row[2], row[9] = right.number, right.name, right.phone, right.capital
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    page.locator("details:has(#mended) > summary").click()
    page.locator("#mended").set_input_files(payload("补好的.xlsx", file.getvalue()))
    press(rep, "/mended/")
    wait_for_worker(rep, "#h-next")
    assert not page.locator("#h-mend").count(), "some rows are still rejected"
    press(rep, "/apply/")
    wait_for_worker(rep, "a[href*='imported=']")


def search(rep: Person, shown: str) -> None:
    """Search for duplicates; whoever waits in vain looks what the page says, and asks once more."""
    press(rep, "/duplicates/scan/")
    try:
        wait_for_worker(rep, shown)
    except WaitedInVain:
        print(rep.page.locator("main").inner_text())
        rep.go("/customers/duplicates/")
        if rep.page.locator("[action$='/duplicates/scan/'] button:enabled").count():
            press(rep, "/duplicates/scan/")
        wait_for_worker(rep, shown)


def clean(rep: Person, mark: str) -> list[str]:
    """Search for duplicates, merge both pairs of the list, take one merge back.

    Answers where the pair is compared again, and where its merge is told.
    """
    page = rep.page
    rep.go("/customers/duplicates/")
    pairs = page.locator("#results tbody tr", has_text=mark)
    search(rep, f"#results tbody tr:has-text('{mark}')")
    assert pairs.count() == len(TWINS), pairs.all_inner_texts()
    rep.accessible()
    for _at in TWINS:
        rep.go("/customers/duplicates/")
        submit(rep, pairs.first.locator("a[href*='/merge/']"))
        rep.accessible()
        compared = page.url
        theirs = page.locator("[name=name][value=theirs]")
        theirs.locator("xpath=..").click()
        wanted = theirs.locator("xpath=../span").inner_text()
        submit(rep, page.locator("#merge .btn-primary:visible"))
        submit(rep, page.locator("#confirm [name=confirmed]"))
        assert page.locator("h1").inner_text() == wanted
    rep.go("/customers/merges/")
    rep.accessible()
    submit(rep, page.locator("#results tbody a").first)
    rep.accessible()
    merge = page.url
    press(rep, "/undo/")
    assert page.locator("h1").inner_text()
    rep.go("/customers/duplicates/")
    assert pairs.count() == 1, "the pair is on the list again"
    return [compared, merge]


def fits_everywhere(person: Person, addresses: list[str]) -> None:
    """Pages that only the play leads to, on the smallest phone and on the desktop."""
    usual = person.page.viewport_size
    assert usual
    for path in addresses:
        for width, height in (SMALL_PHONE, DESKTOP):
            person.page.set_viewport_size({"width": width, "height": height})
            person.go(path)
    person.page.set_viewport_size(usual)


def find(rep: Person, name: str) -> None:
    """By the initials of its name in pinyin, as one types them with a thumb."""
    page = rep.page
    initials = spelled(name)[1]
    rep.go("/customers/")
    page.locator("#filters [name=q]").fill(initials)
    page.locator("#results tbody tr", has_text=name).first.wait_for()
    rep.look()
    submit(rep, page.get_by_role("link", name=name).first)
    assert page.locator("h1").inner_text() == name


def log_a_call(rep: Person, words: str) -> None:
    """From the middle button on the phone, by its key on the desktop; the file is the open one."""
    page = rep.page
    if page.locator("[data-key=n]:visible").count():
        page.locator("[data-key=n]:visible").first.click()
    else:
        page.keyboard.press("n")
    sheet = page.locator("dialog#log")
    sheet.wait_for()
    rep.look()
    rep.accessible()
    sheet.locator("[name=words]").fill(words)
    submit(rep, sheet.locator(".save"))  # the timeline below is read anew
    sheet.wait_for(state="detached")


def promise_and_keep(rep: Person, customer: str, words: str) -> None:
    """Promise something on a file, keep it from the list by one tap, and take that back."""
    page = rep.page
    submit(rep, page.locator(f"a[href='{customer}promises/new/']").first)
    rep.accessible()
    page.locator("[name=content]").fill(words)
    submit(rep, page.locator("main form .btn-primary:visible"))
    rep.go("/customers/promises/")
    row = page.locator("tbody tr", has_text=words)
    row.locator("form[action$='/keep/'] > button").click()
    undo = page.locator(".toast button")
    undo.wait_for()
    assert not row.locator("form[action$='/keep/']").count()
    undo.click()
    row.locator("form[action$='/keep/']").wait_for()
    rep.look()
    rep.accessible()


def hand_over(manager: Person, giver: str, to: str, many: int) -> None:
    """The leaver's customers go to a colleague; the manager sees how many before, and after."""
    page = manager.page
    manager.go("/customers/hand-over/")
    manager.accessible()
    choose(page.locator("[name=giver]"), giver)
    choose(page.locator("[name=successor]"), to)
    submit(manager, page.locator("form[method=get] footer button"))
    manager.accessible()
    page.locator("#sure > summary").click()
    button = page.locator("#sure form .btn-primary")
    assert str(many) in button.inner_text()
    submit(manager, button)
    assert str(many) in page.locator("#h-past").locator("xpath=../..").inner_text()


def choose(select: Locator, label: str) -> None:
    value = select.locator("option", has_text=label).first.get_attribute("value")
    assert value
    select.select_option(value)


@pytest.mark.parametrize(("language", "size"), [("zh-hans", PHONE), ("en", DESKTOP)])
def test_a_new_user_makes_a_messy_list_a_clean_file(
    signed_in: SignIn, visitor: Any, language: str, size: tuple[int, int]
) -> None:
    mark = "甲组" if language == "zh-hans" else "乙组"
    username = f"newcomer-{language}"
    password = new_colleague(signed_in, username, f"{mark}新人")
    rep: Person = visitor(language, size)
    rep.sign_in(username, password)

    rows = a_list(mark)
    in_excel, the_rest = rows[:IN_EXCEL], rows[IN_EXCEL:]
    addresses = []
    for name, data, part in (
        ("经销商.xlsx", workbook(in_excel), in_excel),
        ("其余.csv", text(the_rest), the_rest),
    ):
        addresses.append(bring_in(rep, name, data))
        mend(rep, addresses[-1], part)
    fits_everywhere(rep, [*addresses, *clean(rep, mark)])
    wanted = rows[5].name
    find(rep, wanted)
    customer = re.sub(r"^https?://[^/]+", "", rep.page.url).split("?")[0]
    words = f"要两百箱 {language}"
    log_a_call(rep, words)
    rep.go(f"{customer}timeline/")
    assert rep.page.get_by_text(words).count() == 1
    rep.go(customer)
    promise_and_keep(rep, customer, f"周五前送样 {language}")

    manager = signed_in("manager", language, size)
    hand_over(manager, f"{mark}新人", "孙浩", MANY + len(TWINS) - 1)
    manager.go("/customers/")
    manager.page.locator("#filters [name=q]").fill(spelled(wanted)[1])
    manager.page.locator("#results tbody tr", has_text=wanted).first.wait_for()
    assert rep.window.request.get(customer).status == 404, "the leaver still sees it"
