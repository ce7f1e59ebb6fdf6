"""Scaffold."""

from rest_framework.views import exception_handler as handle

__all__ = ["handle"]
