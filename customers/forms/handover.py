"""The form that says whose customers pass to whom."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from customers.filters import ABC_CHOICES, AreaField
from customers.handing_over import Share
from customers.models import Customer, CustomerQuerySet

#: How many areas can go to somebody else than the rest.
AREAS = (1, 2)


class GiverField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not at run time
    """Somebody who owns customers; says how many, and whether the account is closed."""

    def label_from_instance(self, person: Any) -> str:
        owned = ngettext("%(n)d customer", "%(n)d customers", person.owned) % {"n": person.owned}
        if person.is_active:
            return f"{person.display_name} · {owned}"
        return f"{person.display_name} · {owned} · {gettext('account closed')}"


class HandOverForm(forms.Form):
    """Giver, successor, which files, and up to two areas that go to somebody else."""

    giver = GiverField(
        label=pgettext_lazy("hand-over", "From"),
        queryset=User.objects.none(),
        empty_label=_("Choose a person"),
    )
    successor = forms.ModelChoiceField(
        label=pgettext_lazy("hand-over", "To"),
        queryset=User.objects.none(),
        empty_label=_("Choose a person"),
    )
    abc = forms.ChoiceField(label=_("Only tier"), choices=ABC_CHOICES, required=False)
    division = AreaField(
        label=_("Only area"),
        required=False,
        max_length=60,
        help_text=_("Its name, or the first digits of its code."),
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=200)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        people: Any = User.objects.get_queryset().visible_to(user)
        cast(Any, self.fields["giver"]).queryset = (
            people.filter(customers__isnull=False)
            .annotate(owned=Count("customers"))
            .order_by("is_active", "name", "pk")
        )
        successors = people.owners().order_by("name", "pk")
        cast(Any, self.fields["successor"]).queryset = successors
        for number in AREAS:
            self.fields[f"area_{number}"] = AreaField(
                label=_("But this area"), required=False, max_length=60
            )
            self.fields[f"to_{number}"] = forms.ModelChoiceField(
                label=_("goes to"),
                queryset=successors,
                required=False,
                empty_label=_("nobody else"),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        giver = cleaned.get("giver")
        for name in ("successor", *(f"to_{number}" for number in AREAS)):
            if giver and cleaned.get(name) == giver:
                self.add_error(name, _("The successor must be somebody else."))
        for number in AREAS:
            area, to = cleaned.get(f"area_{number}"), cleaned.get(f"to_{number}")
            if bool(area) != bool(to):
                missing = f"to_{number}" if area else f"area_{number}"
                self.add_error(missing, ValidationError(_("An area needs somebody it goes to.")))
        return cleaned

    @property
    def panels(self) -> list[list[forms.BoundField]]:
        """The fields of the form, and those of the areas that go to somebody else."""
        own = ("giver", "successor", "abc", "division", "reason")
        areas = [name for number in AREAS for name in (f"area_{number}", f"to_{number}")]
        return [[self[name] for name in own], [self[name] for name in areas]]

    def shares(self) -> list[Share]:
        """The files that each successor is to get; the areas first, then the rest."""
        cleaned = self.cleaned_data
        files = self._narrowed(Customer.objects.filter(owner=cleaned["giver"]))
        shares = [
            Share(files.filter(_inside(cleaned[f"area_{number}"])), cleaned[f"to_{number}"])
            for number in AREAS
            if cleaned[f"area_{number}"]
        ]
        return [*shares, Share(files, cleaned["successor"])]

    def _narrowed(self, files: CustomerQuerySet) -> CustomerQuerySet:
        files = files.visible_to(self.user)
        if tiers := self.cleaned_data["abc"]:
            wanted = set(tiers.split(","))
            files = files.filter(abc__in=wanted) if "none" not in wanted else files.unranked()
        if area := self.cleaned_data["division"]:
            files = files.filter(_inside(area))
        return files


def _inside(prefixes: tuple[str, ...]) -> Q:
    """Files whose division lies in one of these areas."""
    inside = Q()
    for prefix in prefixes:
        inside |= Q(division__range=(prefix.ljust(6, "0"), prefix.ljust(6, "9")))
    return inside
