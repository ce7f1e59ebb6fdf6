"""Scaffold."""

from django.http import HttpRequest, HttpResponse


def today(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("visits:today")


def list_(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("visits:list")


def overdue(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("visits:overdue")


def new(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("visits:new")


def detail(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("visits:detail")


def edit(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("visits:edit")


def check_in(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("visits:check-in")


def cancel(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("visits:cancel")


def of_customer(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("visits:of-customer")


def plan(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("visits:plan")


def reminders(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("visits:reminders")


def reminder_done(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("visits:reminder-done")


def cadences(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("visits:cadences")
