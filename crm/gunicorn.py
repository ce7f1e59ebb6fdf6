"""How gunicorn serves: `manage.py serve` reads it, or `gunicorn -c python:crm.gunicorn`."""

import gc
import os
from typing import Any

from customers import names

wsgi_app = "crm.wsgi"
bind = f"{os.environ.get('BIND', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
preload_app = True  # read the code once: a quick start, and memory shared between the workers
timeout = 120  # a full sync body of 32 MiB on a small machine
graceful_timeout = 5
keepalive = 5
accesslog = None  # the reverse proxy writes one
errorlog = "-"
loglevel = os.environ.get("LOG_LEVEL", "warning").lower()
# gunicorn would open one socket per user in the home directory; two instances would share it.
control_socket_disable = True


def when_ready(_server: Any) -> None:
    """Load what every worker comes to need, and keep the collector off it: they share its memory.

    A body of hundreds of records makes thousands of objects that all go by themselves; looking
    through them at every 700th cost a twentieth of a call.
    """
    names.load()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
