"""The product's settings with what makes tests quick: plain static files, a fast hash, mail kept
in memory, and a broker inside the process (tests that need a real worker start the product)."""

import os

from crm.settings import *  # noqa: F403  # everything it does not name again below
from crm.settings import CACHES

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT: str | None = None  # type: ignore[no-redef]  # the address names it
CELERY_BROKER_TRANSPORT_OPTIONS = {}
WHITENOISE_AUTOREFRESH = True
CACHES["default"]["KEY_PREFIX"] = f"test-{os.getpid()}"  # processes share one Redis
