"""The four follow-up questions of a visit (P27): their shape, and which are still open.

The answers are one JSON object, each question under its own key; a key that is missing is a
question not answered yet:

    sales           "very_good" | "normal" | "slow" | "stuck"; beside it sales_note
    new_need        true | false; beside it new_need_note, needed where there is a new need
    new_products    [SKU, …] of the products introduced; [] says that none was
    care            ["met" | "greeting" | "gift", …]; [] says that there was none; care_note
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.lib.text import Text

Answers = dict[str, Any]


class Sales(models.TextChoices):
    """How our products sell here."""

    VERY_GOOD = "very_good", _("Very well")
    NORMAL = "normal", _("Normal")
    SLOW = "slow", _("Slow")
    STUCK = "stuck", _("Stuck")


class Care(models.TextChoices):
    """Greetings and care."""

    MET = "met", _("Met the person in charge")
    GREETING = "greeting", _("Festival greetings")
    GIFT = "gift", _("Brought a gift")


QUESTIONS: dict[str, Text] = {
    "sales": _("How do our products sell here"),
    "new_need": _("Any new need"),
    "new_products": _("New products introduced"),
    "care": _("Greetings and care"),
}
NOTES = ("sales_note", "new_need_note", "care_note")
MAX_NOTE = 500
MAX_ITEMS = 50


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_NOTE and "\x00" not in value


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MAX_ITEMS and all(map(_is_text, value))


_SHAPES: dict[str, Callable[[Any], bool]] = {
    "sales": lambda value: isinstance(value, str) and value in Sales.values,
    "new_need": lambda value: isinstance(value, bool),
    "new_products": _is_list_of_text,
    "care": lambda value: _is_list_of_text(value) and set(value) <= set(Care.values),
    **dict.fromkeys(NOTES, _is_text),
}


def cleaned(answers: Any) -> Answers:
    """The answers in order, trimmed, without empty notes; ValidationError names what is wrong."""
    if not isinstance(answers, Mapping):
        raise ValidationError(_("The answers must be an object."), code="invalid")
    wrong = [
        gettext("%(key)s is not a known answer.") % {"key": str(key)[:50]}
        for key in answers
        if key not in _SHAPES
    ]
    wrong += [
        gettext("The answer to %(key)s is not valid.") % {"key": key}
        for key, fits in _SHAPES.items()
        if answers.get(key) is not None and not fits(answers[key])
    ]
    if wrong:
        raise ValidationError(wrong, code="invalid")
    clean: Answers = {}
    for key in _SHAPES:
        value = answers.get(key)
        if isinstance(value, str):
            value = value.strip()
        elif isinstance(value, list):
            value = list(dict.fromkeys(item.strip() for item in value if item.strip()))
        if value is not None and value != "":
            clean[key] = value
    return clean


def missing(answers: Answers) -> dict[str, str]:
    """Question → what is still to be said; empty where all four are answered."""
    gaps: dict[str, str] = {}
    if "sales" not in answers:
        gaps["sales"] = gettext("Say how our products sell here.")
    if "new_need" not in answers:
        gaps["new_need"] = gettext("Say whether there is a new need.")
    elif answers["new_need"] and not answers.get("new_need_note"):
        gaps["new_need"] = gettext("Say what the new need is.")
    if "new_products" not in answers:
        gaps["new_products"] = gettext("Pick the products introduced, or none.")
    if "care" not in answers and not answers.get("care_note"):
        gaps["care"] = gettext("Pick the greetings and care, or none.")
    return gaps


def check_complete(answers: Answers) -> None:
    """Refuse to go on while a question is open; the message of each question is its own."""
    gaps = missing(answers)
    if gaps:
        raise ValidationError(
            {
                question: ValidationError(message, code="unanswered")
                for question, message in gaps.items()
            }
        )
