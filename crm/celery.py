"""The Celery application; tasks are found in each app's tasks.py."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

from customers import names

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

app = Celery("kehu")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def load(**_of_the_worker: Any) -> None:
    """Load what every process of the worker comes to need, before they fork: they share it."""
    names.load()
