"""What is asked before many files change at once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from customers import tagging
from customers.filters import CHOICES_OF_TAGS


class AssignForm(forms.Form):
    """Who is to own the files: a colleague in sight."""

    to = forms.ModelChoiceField(
        label=_("New owner"), queryset=User.objects.none(), to_field_name="username"
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.get_queryset().visible_to(user).owners().order_by("name", "pk")
        to: Any = self.fields["to"]
        to.queryset = people


class TagForm(forms.Form):
    """One tag."""

    tag = forms.CharField(label=_("Tag"), max_length=200, widget=forms.TextInput(CHOICES_OF_TAGS))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def clean_tag(self) -> str:
        return tagging.check_tag(self.cleaned_data["tag"])
