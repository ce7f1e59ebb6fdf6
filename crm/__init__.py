"""The project: settings, URLs, the job queue, and what stands above every app."""

from crm.celery import app as celery_app

__all__ = ["celery_app"]
