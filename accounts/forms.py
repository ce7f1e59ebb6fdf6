"""What people fill in about accounts: signing in, passwords, themselves, users, teams, keys."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from itertools import groupby
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.forms import (
    ChangePasswordForm,
    LoginForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
)
from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundWidget
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, Team, User
from accounts.roles import SCOPES, Role
from accounts.versions import VersionedForm
from crm.lib.days import day_bounds
from crm.lib.text import Text

PASSWORD_RULES = _("At least 8 characters, not only digits, and not easy to guess.")


class SignInForm(LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["login"], _("Username"))
        _plain(self.fields["password"], _("Password"))
        self.fields["login"].widget.attrs |= {"autocapitalize": "none", "spellcheck": "false"}
        self.fields["remember"].label = _("Stay signed in on this device for 14 days")
        self.fields["remember"].initial = True

    def clean(self) -> dict[str, Any]:
        try:
            return cast("dict[str, Any]", super().clean())
        except ValidationError as refused:
            if getattr(refused, "code", "") in (
                "username_password_mismatch",
                "too_many_login_attempts",
            ):
                raise get_adapter().refusal(self.request, self.cleaned_data["login"]) from refused
            raise


class OwnPasswordForm(ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["oldpassword"], _("Present password"))
        _new_password(self.fields)


class NewPasswordForm(ResetPasswordKeyForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _new_password(self.fields)


class AskForLinkForm(ResetPasswordForm):
    """Asks for the address on file; known or not, the answer is the same."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _plain(self.fields["email"], _("E-mail"))

    def clean_email(self) -> str:
        email = cast(str, self.cleaned_data["email"])
        self.users = list(User.objects.reachable_at(email))
        return email


def _plain(field: forms.Field, label: Text, hint: Text = "") -> None:
    """Our label above and our hint below, instead of allauth's placeholder."""
    field.label, field.help_text = label, hint
    field.widget.attrs.pop("placeholder", None)


def _new_password(fields: dict[str, forms.Field]) -> None:
    _plain(fields["password1"], _("New password"), PASSWORD_RULES)
    _plain(fields["password2"], _("New password again"))


class OwnForm(VersionedForm[User]):
    """What everybody may change about themselves; the appearance is kept in a cookie."""

    theme = forms.ChoiceField(
        label=_("Appearance"),
        required=False,
        choices=[("", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))],
    )

    class Meta:
        model = User
        fields = ["name", "email", "phone", "language"]


class UserForm(VersionedForm[User]):
    class Meta:
        model = User
        fields = ["name", "username", "role", "team", "email", "phone", "language"]
        help_texts = {
            "username": _("For signing in. Letters, digits and @ . + - _"),
            "email": _("Reminders and the link for a new password go there."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].widget.attrs |= {"autocapitalize": "none", "spellcheck": "false"}
        cast("forms.ModelChoiceField[Team]", self.fields["team"]).empty_label = str(_("No team"))


class NewUserForm(UserForm):
    """A new user gets in by a link in a mail, or by a password told in person."""

    LINK, PASSWORD = "link", "password"
    entry = forms.ChoiceField(
        label=_("First sign-in"),
        choices=[
            (LINK, _("Mail a link to set a password")),
            (PASSWORD, _("Show a temporary password")),
        ],
        initial=LINK,
        widget=forms.RadioSelect,
    )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.cleaned_data.get("entry") == self.LINK and not self.cleaned_data.get("email"):
            self.add_error("email", _("A link needs an address to go to."))
        return cleaned


class TeamForm(VersionedForm[Team]):
    class Meta:
        model = Team
        fields = ["name", "parent", "manager"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parent = cast("forms.ModelChoiceField[Team]", self.fields["parent"])
        parent.empty_label = str(_("No team above"))
        manager = cast("forms.ModelChoiceField[User]", self.fields["manager"])
        manager.empty_label = str(_("No manager"))
        leaders = User.objects.active().filter(role__in=[Role.MANAGER, Role.DIRECTOR])
        if self.instance.manager_id:  # whoever leads it now stays to be seen
            leaders |= User.objects.get_queryset().filter(pk=self.instance.manager_id)
        manager.queryset = leaders.order_by("name", "pk")


#: What a resource is called where its scopes are ticked.
RESOURCES: dict[str, Text] = {
    "customers": _("Customers"),
    "contacts": _("Contacts"),
    "products": _("Products"),
    "prices": _("Prices"),
    "orders": _("Orders"),
    "payments": _("Payments"),
    "stock": _("Dealer stock"),
    "visits": _("Visits"),
    "reminders": _("Reminders"),
    "tiers": _("Tiers"),
    "reports": _("Reports"),
    "webhooks": _("Webhooks"),
}
VERBS: dict[str, Text] = {"read": _("read"), "write": _("write")}


class KeyForm(forms.Form):
    """A new API key. `today` is the first day it may not have expired by."""

    name = forms.CharField(
        label=_("Name"),
        min_length=2,
        max_length=100,
        help_text=_("What uses it. The audit log shows this name."),
    )
    user = forms.ModelChoiceField(
        label=_("Acts for"),
        queryset=User.objects.none(),
        required=False,
        empty_label=_("The built-in integration account"),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=[(scope, VERBS[scope.partition(":")[2]]) for scope in SCOPES],
        initial=list(SCOPES),
        widget=forms.CheckboxSelectMultiple,
    )
    expires_on = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Works up to the end of this day; empty: until it is revoked."),
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        people = cast("forms.ModelChoiceField[User]", self.fields["user"])
        people.queryset = User.objects.integrations().order_by("name", "pk")

    def clean_name(self) -> str:
        name = cast(str, self.cleaned_data["name"])
        if ApiKey.objects.filter(name=name, revoked_at=None).exists():
            # Also what a reload of the page that showed a key runs into.
            raise ValidationError(_("There is a key with this name already."), code="unique")
        return name

    def clean_expires_on(self) -> date | None:
        day = cast("date | None", self.cleaned_data["expires_on"])
        if day and day < self.today:
            raise ValidationError(_("This day is over."), code="past")
        return day

    @property
    def expires_at(self) -> datetime | None:
        """The moment after the last day, in the company's time zone."""
        day = self.cleaned_data["expires_on"]
        return day_bounds(day, day)[1] if day else None

    def scope_groups(self) -> Iterator[tuple[Text, list[BoundWidget]]]:
        """The boxes to tick, by resource."""
        boxes = zip(SCOPES, self["scopes"].subwidgets, strict=True)
        for resource, group in groupby(boxes, key=lambda pair: pair[0].partition(":")[0]):
            yield RESOURCES[resource], [box for _scope, box in group]
