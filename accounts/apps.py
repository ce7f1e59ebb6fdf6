"""The app, and the admin site that only superusers may open."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AccountsConfig(AppConfig):
    name = "accounts"
    default = True


class SuperuserAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site in the place of its own."""

    default_site = "accounts.adminsite.SuperuserAdminSite"
    default = False
