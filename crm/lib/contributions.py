"""What higher apps add to a lower one's answers, found by the name of a module and a function."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from django.apps import apps
from django.utils.module_loading import module_has_submodule


@cache
def contributions(module: str, function: str) -> tuple[Callable[..., Any], ...]:
    """`function` of every installed app that has it in its `module`, in the order of the apps."""
    return tuple(
        getattr(found, function)
        for app in apps.get_app_configs()
        if app.module is not None and module_has_submodule(app.module, module)
        for found in [import_module(f"{app.name}.{module}")]
        if hasattr(found, function)
    )
