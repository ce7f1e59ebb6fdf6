"""Scaffold."""

from django.http import HttpRequest, HttpResponse


def report(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("tiers:report")


def export(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("tiers:export")


def runs(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("tiers:runs")


def run_start(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("tiers:run-start")


def run(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("tiers:run")


def run_progress(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("tiers:run-progress")


def run_export(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("tiers:run-export")


def of_customer(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("tiers:of-customer")
