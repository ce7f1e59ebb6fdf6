"""The four follow-up questions (P27): their shape, and which are open."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from visits.answers import check_complete, cleaned, missing

FULL: dict[str, Any] = {"sales": "normal", "new_need": False, "new_products": [], "care": []}


@pytest.mark.parametrize(
    ("change", "open_questions"),
    [
        ({}, set()),
        ({"sales": None}, {"sales"}),
        ({"new_need": None}, {"new_need"}),
        ({"new_need": True}, {"new_need"}),
        ({"new_need": True, "new_need_note": "1.8 L"}, set()),
        ({"new_products": None}, {"new_products"}),
        ({"care": None}, {"care"}),
        ({"care": None, "care_note": "端午快到了 🎏"}, set()),
        (dict.fromkeys(FULL), set(FULL)),
    ],
)
def test_which_questions_are_open(change: dict[str, Any], open_questions: set[str]) -> None:
    assert set(missing(cleaned({**FULL, **change}))) == open_questions


def test_closing_names_every_open_question() -> None:
    with pytest.raises(ValidationError) as refused:
        check_complete({})
    assert set(refused.value.message_dict) == set(FULL)
    assert {e.code for errors in refused.value.error_dict.values() for e in errors} == {
        "unanswered"
    }


@pytest.mark.parametrize(
    "answers",
    [
        [],
        "normal",
        {"sales": "great"},
        {"sales": ["normal"]},
        {"new_need": "yes"},
        {"new_need": 1},
        {"new_products": "SKU-1"},
        {"new_products": [1]},
        {"new_products": ["x"] * 51},
        {"care": ["kiss"]},
        {"sales_note": "x" * 501},
        {"sales_note": "\x00"},
        {"weather": "fine"},
    ],
)
def test_answers_of_another_shape_are_refused(answers: Any) -> None:
    with pytest.raises(ValidationError):
        cleaned(answers)


def test_notes_are_trimmed_and_doubles_dropped() -> None:
    assert cleaned({"sales_note": "  ", "new_products": ["A", " A ", ""], "care_note": " 好 "}) == {
        "new_products": ["A"],
        "care_note": "好",
    }
