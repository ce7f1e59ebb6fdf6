"""Customer share: from a population to a target group, won customers and revenue (P49).

Everything is worked out exactly, in fractions, from what was typed. Only what is shown is
rounded, each figure by itself: people to whole ones and money to cents, a half always up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from crm.lib.formats import NBSP

#: More people than there are, and more than anybody spends on one kind of goods a year.
MOST_PEOPLE = 10**10
MOST_SPENT = Decimal(10**9)
#: The stages of the calculation, as the API and the fields of a scenario call them.
SHARES = ("age_share", "reachable_share", "valid_share", "spender_share")

NUMBER = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})", re.ASCII)
RATIO = re.compile(r"(\d{1,9}) ?[/／] ?(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is known or supposed: people, four shares of 0–1, and what one spender spends a year."""

    population: int
    age_share: Fraction
    reachable_share: Fraction
    valid_share: Fraction
    spender_share: Fraction
    yearly_spend: Decimal


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows, exactly: people (also parts of one), the share won, and money a year.

    `group` are those of the right age, `reachable` the target group, `won` those won for good.
    `share` is won ÷ reachable; None where nobody can be reached. `spenders` buy.
    """

    group: Fraction
    reachable: Fraction
    won: Fraction
    share: Fraction | None
    spenders: Fraction
    revenue: Fraction


def work_out(given: Inputs) -> Outcome:
    """The customer share of P49: each stage is a share of the one before."""
    group = given.population * given.age_share
    reachable = group * given.reachable_share
    won = reachable * given.valid_share
    spenders = won * given.spender_share
    return Outcome(
        group=group,
        reachable=reachable,
        won=won,
        share=won / reachable if reachable else None,
        spenders=spenders,
        revenue=spenders * Fraction(given.yearly_spend),
    )


def people(number: Fraction) -> int:
    """Whole people: half a person and more counts as one."""
    return _half_up(number)


def amount(money: Fraction) -> Decimal:
    """Money with two places, half a cent up."""
    return Decimal(_half_up(money * 100)).scaleb(-2)


def _half_up(number: Fraction) -> int:
    """The nearest whole number, of two equally near ones the larger; for numbers from 0 on."""
    return (2 * number.numerator + number.denominator) // (2 * number.denominator)


def read_share(text: str, *, per_cent: bool) -> Fraction:
    """A share of 0–1 from what was typed: 2/3, 15 %, 15 (where `per_cent`), 0.15 (where not).

    Raises ValidationError with a message that says what is wrong with which share.
    """
    words = text.strip().replace("％", "%").replace("．", ".")
    if ratio := RATIO.fullmatch(words):
        part, whole = map(int, ratio.groups())
        if not whole:
            raise ValidationError(_("Nothing can be divided by 0."), code="invalid")
        return _checked(Fraction(part, whole))
    bare = words.removesuffix("%").strip()
    if not NUMBER.fullmatch(bare):
        raise ValidationError(_not_a_share(per_cent), code="invalid")
    number = Fraction(bare)
    return _checked(number / 100 if per_cent or words.endswith("%") else number)


def _not_a_share(per_cent: bool) -> str:
    if per_cent:
        return _("Give a percentage such as 15, or a fraction such as 2/3.")
    return _("Give a share from 0 to 1 such as 0.15, or a fraction such as 2/3.")


def _checked(share: Fraction) -> Fraction:
    if share < 0:
        raise ValidationError(_("A share cannot be below 0 %."), code="negative")
    if share > 1:
        raise ValidationError(
            _("A share is at most 100 %%, this one is %(share)s.") % {"share": written(share)},
            code="above_one",
        )
    return share


def read_stored(text: str) -> Fraction:
    """A share as a scenario keeps it: 2/3, 3/20, 1."""
    return Fraction(text)


def stored(share: Fraction) -> str:
    """A share as a scenario keeps it, losing nothing."""
    return str(share)


def typed(share: Fraction) -> str:
    """A share as one would type it as a percentage: 15, 66.5; 2/3 where that has no end."""
    hundredfold = share * 100
    scaled = hundredfold * 10**8
    if scaled.denominator != 1:
        return str(share)
    text = f"{Decimal(int(scaled)) / 10**8:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def written(share: Fraction) -> str:
    """A share for people: 15 %, 66.5 %, 2/3."""
    text = typed(share)
    return text if "/" in text else f"{text}{NBSP}%"
