"""The project as an app: holds the operator's commands and the start-up checks."""

from django.apps import AppConfig
from django.core.checks import Tags, register


class CrmConfig(AppConfig):
    name = "crm"
    label = "crm"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm.checks import chinese_has_trigrams
        from crm.lib import lookups  # noqa: F401  # makes `among` known

        register(chinese_has_trigrams, Tags.database)
