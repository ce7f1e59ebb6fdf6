"""Why a customer is thought to be leaving, in the reader's language."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.lib.formats import percent, price
from crm.lib.text import Text
from tiers.churn.bgnbd import Unfit
from tiers.models import ChurnRun, Method, Outlook

#: Why the purchase model could not be used, and what stands in for it.
WHY_NOT: dict[str, Text] = {
    Unfit.TOO_FEW: gettext_lazy(
        "The purchase model was not used: too few customers have bought twice."
    ),
    Unfit.RUNS_OFF: gettext_lazy(
        "The purchase model does not fit these customers: they buy more regularly than it can tell."
    ),
    Unfit.FLAT: gettext_lazy(
        "The purchase model does not fit these customers: many different parameters would do"
        " equally well."
    ),
    Unfit.ALL_ALIVE: gettext_lazy(
        "The purchase model does not fit these customers: it takes nearly all of them to be there,"
        " however long they are silent."
    ),
}


def silent_days(outlook: Outlook, as_of: date) -> int:
    return max((as_of - outlook.last_on).days, 0)


def reason(outlook: Outlook, as_of: date) -> str:
    """The silence as of a day beside the customer's own intervals, or its peers'."""
    numbers = {
        "usual": outlook.usual_days,
        "silent": silent_days(outlook, as_of),
        "shorter": outlook.shorter,
        "n": outlook.intervals,
    }
    if outlook.intervals == 0:
        return (
            ngettext(
                "ordered on one day only, silent for %(silent)d day; its peers order every"
                " %(usual)d days",
                "ordered on one day only, silent for %(silent)d days; its peers order every"
                " %(usual)d days",
                numbers["silent"],
            )
            % numbers
        )
    if outlook.intervals == 1:
        return _("ordered on two days, %(usual)d days apart, silent for %(silent)d") % numbers
    if outlook.shorter == 0:
        return (
            _("orders every %(usual)d days, silent for %(silent)d: no longer than usual") % numbers
        )
    if outlook.shorter == outlook.intervals:
        return (
            _(
                "orders every %(usual)d days, silent for %(silent)d: longer than all its"
                " %(n)d intervals"
            )
            % numbers
        )
    return (
        _(
            "orders every %(usual)d days, silent for %(silent)d: longer than %(shorter)d of its"
            " %(n)d intervals"
        )
        % numbers
    )


def risk(outlook: Outlook, period_days: int) -> str:
    """How the value at risk comes about, figure by figure."""
    return _(
        "%(purchases)s purchases in %(days)d days × %(amount)s × %(left)s likely to have left"
        " = %(value)s"
    ) % {
        "purchases": f"{outlook.pace.normalize():f}" if outlook.pace else "0",
        "days": period_days,
        "amount": price(outlook.per_purchase),
        "left": percent(outlook.left),
        "value": price(outlook.value_at_risk),
    }


def value_at_risk(run: ChurnRun | None) -> str:
    """What the value at risk is called: by margin, where the run counted margins."""
    return _("Margin at risk") if run and run.by_margin else _("Value at risk")


def per_purchase(run: ChurnRun | None) -> str:
    """What a purchase brings: its amount, or its margin as far as costs are known."""
    return _("Margin per purchase") if run and run.by_margin else _("Per purchase")


def method(outlook: Outlook) -> str:
    """What the chance was found by."""
    if outlook.method == Method.MODEL:
        return _("by the purchase model")
    if outlook.intervals == 0:
        return _("by its peers’ rhythm")
    return _("by its own rhythm")
