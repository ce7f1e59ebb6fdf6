"""Makes the template tags and bases of crm.lib available to Django."""

from django.apps import AppConfig


class LibConfig(AppConfig):
    name = "crm.lib"
    label = "lib"
