"""Phone numbers as people and systems write them."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.template import Context, Template
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from customers import phones
from customers.models import Customer
from tests.factories import make_customer


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("", ""),
        ("  ", ""),
        ("13800138000", "+8613800138000"),
        ("138 0013 8000", "+8613800138000"),
        ("138-0013-8000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("＋86 138 0013 8000", "+8613800138000"),
        ("008613800138000", "+8613800138000"),
        ("8613800138000", "+8613800138000"),
        ("手机：13800138000", "+8613800138000"),
        ("19999999999", "+8619999999999"),
        ("0575-85123456", "+8657585123456"),
        ("(0575) 8512 3456", "+8657585123456"),
        ("（0575）85123456", "+8657585123456"),
        ("0575—85123456", "+8657585123456"),
        ("+86-575-85123456", "+8657585123456"),
        ("+86 (0)575 85123456", "+8657585123456"),
        ("0086 0575 85123456", "+8657585123456"),
        ("021-65123456", "+862165123456"),
        ("010-12345678", "+861012345678"),
        ("0575-85123456-801", "+8657585123456;ext=801"),
        ("021-6512-3456-801", "+862165123456;ext=801"),
        ("0575-85123456转801", "+8657585123456;ext=801"),
        ("0575-85123456 分机 801", "+8657585123456;ext=801"),
        ("0575-85123456 ext. 801", "+8657585123456;ext=801"),
        ("0575-85123456#801", "+8657585123456;ext=801"),
        ("138 0013 8000 转 12", "+8613800138000;ext=12"),
        ("+8657585123456;ext=801", "+8657585123456;ext=801"),
        ("400-820-8820", "+864008208820"),
        ("800 810 0000", "+868008100000"),
        ("+852 2345 6789", "+85223456789"),
        ("00852 2345 6789", "+85223456789"),
        ("+1 650 253 0000", "+16502530000"),
        ("+39 06 6981 2345", "+390669812345"),
    ],
)
def test_a_number_is_read_however_it_is_written(written: str, stored: str) -> None:
    assert phones.parse(written) == stored
    assert phones.stored(written) == (stored or written)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("1380013800", "A mobile number has 11 digits, now 10."),
        ("138001380001", "A mobile number has 11 digits, now 12."),
        ("+86 138001380", "A mobile number has 11 digits, now 9."),
        ("13800138000-1", "A mobile number has 11 digits, now 12."),
        ("400-820-882", "A 400 or 800 number has 10 digits, now 9."),
        ("85123456", "Write the area code before a landline number, such as 0575."),
        ("0575-851234", "After the area code 0575 come 7 or 8 digits, as the place has it; now 6."),
        ("021-6512345", "After the area code 021 come 7 or 8 digits, as the place has it; now 7."),
        ("021-00001111", "There is no such number in the area code 021."),
        ("13800138000/13900139000", "Write one number only."),
        ("13800138000 13900139000", "Write one number only."),
        ("0575-85123456、13800138000", "Write one number only."),
        ("0575-85123456/7", "Write one number only."),
        ("n/a", "A phone number has digits, spaces and the signs + - ( ) only."),
        ("张三 13800138000", "A phone number has digits, spaces and the signs + - ( ) only."),
        ("+1 650 253", "There is no number abroad with this country code and 7 digits."),
        ("1", "No phone number has this form with 1 digit."),
        ("12345", "No phone number has this form with 5 digits."),
        ("=1+1", "A phone number has digits, spaces and the signs + - ( ) only."),
    ],
)
def test_what_is_no_number_is_refused_with_the_reason(written: str, words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)) as refused:
        phones.parse(written)
    assert refused.value.messages == [words]
    assert phones.stored(written) == written


@pytest.mark.parametrize(
    ("stored", "shown", "dialled", "typed"),
    [
        ("", "", "", ""),
        ("+8613800138000", "138 0013 8000", "+8613800138000", "13800138000"),
        ("+8616112345678", "161 1234 5678", "+8616112345678", "16112345678"),
        ("+8657585123456", "0575 8512 3456", "+8657585123456", "057585123456"),
        ("+8657585123456;ext=801", "0575 8512 3456 ext. 801", "+8657585123456,801", "057585123456"),
        ("+864008208820", "400 820 8820", "4008208820", "4008208820"),
        ("+85223456789", "+852 2345 6789", "+85223456789", "85223456789"),
        ("0575-85123456/7", "0575-85123456/7", "+8657585123456", ""),
        ("ask Mr Li", "ask Mr Li", "", ""),
        ("+9990001234", "+9990001234", "", ""),
    ],
)
def test_a_stored_number_is_shown_dialled_and_found(
    stored: str, shown: str, dialled: str, typed: str
) -> None:
    assert phones.display(stored) == shown
    assert phones.dial(stored) == dialled
    assert phones.national(stored) == typed


def test_two_numbers_in_one_field_are_both_found() -> None:
    assert phones.numbers("0575-85123456-801、138 0013 8000") == [
        "+8657585123456;ext=801",
        "+8613800138000",
    ]
    assert phones.numbers("ask Mr Li") == []


def test_templates_have_filters_for_both() -> None:
    page = Template('<a href="tel:{{ n|dial }}">{{ n|phone }}</a>{{ ""|phone }}')
    assert page.render(Context({"n": "+8613800138000"})) == (
        '<a href="tel:+8613800138000">138 0013 8000</a>–'
    )


@given(st.text(alphabet="0123456789+-() /转x;ext=#*.０１一", max_size=32))
def test_whatever_is_written_is_read_or_refused_and_read_the_same_again(text: str) -> None:
    try:
        number = phones.parse(text)
    except ValidationError:
        assert phones.stored(text) == text
        phones.dial(text)
        return
    assert len(number) <= 32
    assert phones.parse(number) == number
    assert phones.parse(phones.display(number)) == number


@pytest.mark.django_db
def test_what_is_stored_is_brought_into_one_form() -> None:
    written = ["0575-8512 3456", "13800138000", "ask Mr Li", "", "+8613800138000"]
    ids = [make_customer(phone=phone).pk for phone in written]
    migration = import_module("customers.migrations.0004_stored_customers")
    for _twice in range(2):
        migration.normalise(apps, None)
    stored = Customer.objects.in_bulk(ids)
    assert [(stored[pk].phone, stored[pk].version) for pk in ids] == [
        ("+8657585123456", 2),
        ("+8613800138000", 2),
        ("ask Mr Li", 1),
        ("", 1),
        ("+8613800138000", 1),
    ]
