"""The form of a customer's file."""

from __future__ import annotations

import json
import re
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.history import Line
from accounts.models import User
from customers import divisions
from customers.addresses import Area, settled
from customers.changes import changes_since
from customers.forms.phone import PhoneField
from customers.hierarchy import Tie
from customers.models import Customer, CustomerQuerySet

LONGEST_TAG = 30
MOST_TAGS = 20
LONGEST_OWN_FIELD = 500
COLON = re.compile(r"[:：]")


def reference(customer: Customer) -> str:
    """How a customer is written in a text field: its number, then its name."""
    return f"{customer.external_id or f'#{customer.pk}'} {customer.name}"


class TagsField(forms.CharField):
    """A list of short words with commas, Chinese or not, between them."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        words = re.split(r"[,，、;；\n]", super().clean(value))
        tags = list(dict.fromkeys(word.strip() for word in words if word.strip()))
        for tag in tags:
            if len(tag) > LONGEST_TAG:
                raise ValidationError(
                    _("A tag has at most %(limit)d characters; “%(tag)s” has %(length)d."),
                    params={"limit": LONGEST_TAG, "tag": tag, "length": len(tag)},
                )
        if len(tags) > MOST_TAGS:
            raise ValidationError(
                _("At most %(limit)d tags, now %(number)d."),
                params={"limit": MOST_TAGS, "number": len(tags)},
            )
        return tags

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class OwnFieldsField(forms.CharField):
    """Own fields, one to a line: name, colon, value. Values keep their type where unchanged."""

    widget = forms.Textarea(attrs={"rows": 4})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored: dict[str, Any] = {}

    @staticmethod
    def _written(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return "\n".join(f"{name}: {self._written(one)}" for name, one in value.items())

    def clean(self, value: Any) -> dict[str, Any]:
        own: dict[str, Any] = {}
        for line in super().clean(value).splitlines():
            if not line.strip():
                continue
            name, text = (part.strip() for part in (*COLON.split(line, maxsplit=1), "")[:2])
            if not name or not COLON.search(line):
                raise ValidationError(
                    _("Write each line as name: value; “%(line)s” has no colon."),
                    params={"line": line.strip()[:60]},
                )
            if name in own:
                raise ValidationError(
                    _("The field “%(name)s” is there twice."), params={"name": name[:60]}
                )
            if len(text) > LONGEST_OWN_FIELD or len(name) > LONGEST_OWN_FIELD:
                raise ValidationError(
                    _("A value has at most %(limit)d characters."),
                    params={"limit": LONGEST_OWN_FIELD},
                )
            stored = self.stored.get(name)
            own[name] = stored if name in self.stored and self._written(stored) == text else text
        return own


class DivisionField(forms.CharField):
    """A 6-digit code, or the name of one area; what is stored already passes unchanged."""

    stored = ""

    def prepare_value(self, value: Any) -> Any:
        name = divisions.name(value) if isinstance(value, str) and value.isdecimal() else ""
        return f"{value} {name}" if name else value

    def clean(self, value: Any) -> str:
        words = super().clean(value)
        code = words.split(" ", 1)[0] if words else ""
        if code in ("", self.stored) or divisions.is_known(code):
            return code
        if code.isdecimal():
            raise ValidationError(
                _("No division has the code %(code)s."), params={"code": code[:20]}
            )
        found = divisions.called(words)
        if not found:
            raise ValidationError(_("No area is called “%(words)s”."), params={"words": words[:60]})
        if len(found) > 1:
            raise ValidationError(
                _("More than one area is called “%(words)s”: write its city before it."),
                params={"words": words[:60]},
            )
        return found[0].ljust(6, "0")


class ParentField(forms.CharField):
    """Another customer in sight, by its number or its exact name."""

    choices: CustomerQuerySet

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, int):
            customer = self.choices.filter(pk=value).first()
            return reference(customer) if customer else ""
        return value

    def clean(self, value: Any) -> Customer | None:
        words = super().clean(value)
        if not words:
            return None
        number = words.split(" ", 1)[0]
        for wanted in (
            {"external_id": words},
            {"external_id": number},
            {"pk": int(number[1:]) if re.fullmatch(r"#[0-9]{1,18}", number) else 0},
            {"name": words},
        ):
            found = list(self.choices.filter(**wanted)[:2])
            if len(found) == 1:
                return found[0]
            if found:
                raise ValidationError(
                    _("More than one customer is called “%(words)s”: write its number."),
                    params={"words": words[:60]},
                )
        raise ValidationError(
            _("None of the customers you see has the number or name “%(words)s”."),
            params={"words": words[:60]},
        )


class CustomerForm(forms.ModelForm):  # type: ignore[type-arg]  # not at run time
    """All fields that people write. Who may not assign files does not see the owner field.

    `version` is the state that the reader saw: where others have changed the file meanwhile,
    nothing is saved, `changes` tells what they did, and sending again means to overwrite.
    """

    instance: Customer
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0)
    parent = ParentField(label=_("Supplied by"), required=False, max_length=320)
    group_head = ParentField(label=_("Belongs to the group of"), required=False, max_length=320)
    phone = PhoneField(label=_("Phone"))
    division = DivisionField(label=_("Area"), required=False, max_length=60)
    tags = TagsField(
        label=_("Tags"), required=False, max_length=1000, help_text=_("Commas between them.")
    )
    custom = OwnFieldsField(
        label=_("Own fields"),
        required=False,
        max_length=10000,
        help_text=_("One to a line, such as: Warehouse: 800 m²"),
    )

    PANELS = (
        (_("Identity"), ("name", "kind", "status", "external_id", "owner", "buyout")),
        (_("Network"), ("parent", "group_head")),
        (_("Reach"), ("phone", "email")),
        (_("Location"), ("division", "address", "latitude", "longitude")),
        (_("Company"), ("tax_id", "founded_on")),
        (_("Tags and own fields"), ("tags", "custom")),
    )

    class Meta:
        model = Customer
        fields = (
            "name", "kind", "status", "external_id", "owner", "parent", "group_head", "buyout",
            "phone", "email", "division", "address", "latitude", "longitude", "tax_id",
            "founded_on", "tags", "custom",
        )  # fmt: skip
        error_messages = {
            "external_id": {"unique": _("Another customer has this number already.")},
        }
        widgets = {
            "founded_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "latitude": forms.TextInput(attrs={"inputmode": "decimal"}),
            "longitude": forms.TextInput(attrs={"inputmode": "decimal"}),
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.changes: list[Line] = []
        self.initial["version"] = self.instance.version
        self._scope_owner()
        for tie in Tie.values:
            self._scope_tie(tie)
        for name in ("division", "phone", "custom"):  # what is stored already passes
            field: Any = self.fields[name]
            field.stored = getattr(self.instance, name)
        self.fields["division"].widget.attrs |= suggesting("areas", "divisions")

    def _scope_owner(self) -> None:
        if not self.user.may("customers:assign"):
            del self.fields["owner"]
            return
        people = User.objects.get_queryset().visible_to(self.user)
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)
        owner.queryset = people.owners() | people.filter(pk=self.instance.owner_id)
        if not self.user.sees_all:
            owner.required = True  # a file without an owner would leave the sight of a manager
            if not self.instance.pk:
                self.initial["owner"] = self.user.pk

    def _scope_tie(self, tie: str) -> None:
        choices = Customer.objects.visible_to(self.user).exclude(pk=self.instance.pk)
        above = getattr(self.instance, f"{tie}_id")
        if above and not choices.filter(pk=above).exists():
            del self.fields[tie]  # it is out of sight: neither shown nor changed
            return
        field: Any = self.fields[tie]
        field.choices = choices
        field.widget.attrs |= suggesting("suggest", "parents")

    @cached_property
    def panels(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The groups of the page: a title and its fields."""
        return [
            (title, [self[name] for name in names if name in self.fields])
            for title, names in self.PANELS
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if ("latitude" in cleaned and "longitude" in cleaned) and (
            (cleaned["latitude"] is None) != (cleaned["longitude"] is None)
        ):
            missing = "latitude" if cleaned["latitude"] is None else "longitude"
            self.add_error(missing, _("A place needs both latitude and longitude."))
        self._settle_area(cleaned)
        if self.instance.pk:
            self._refuse_overwriting(cleaned.get("version"))
        return cleaned

    def _settle_area(self, cleaned: dict[str, Any]) -> None:
        """The area that is typed, or the one that the address names; one that was read from the
        address, and left in its field, follows a new address."""
        if "division" not in cleaned or "address" not in cleaned:
            return
        before = Area.of(self.instance if self.instance.pk else None)
        typed = cleaned["division"]
        said = None if typed and typed == before.division and before.found else typed
        place = settled(before, division=said, address=cleaned["address"])
        cleaned["division"], self.instance.division_found = place.division, place.found

    def _refuse_overwriting(self, version: int | None) -> None:
        seen = version if version is not None else 0
        if seen == self.instance.version:
            return
        self.changes = changes_since(self.instance, seen, self.user)
        if not self.changes:
            return
        data = cast(Any, self.data).copy()
        data["version"] = str(self.instance.version)  # the next sending has seen this state
        self.data = data
        raise ValidationError(
            _("Somebody else has changed this meanwhile; nothing was saved."),
            code="conflict",
        )


def suggesting(view: str, choices: str) -> dict[str, Any]:
    """Attributes of a text field that asks the server for choices while one types."""
    return {
        "list": choices,
        "autocomplete": "off",
        "hx-get": reverse_lazy(f"customers:{view}"),
        "hx-trigger": "input changed delay:250ms",
        "hx-target": f"#{choices}",
        "hx-push-url": "false",
    }
