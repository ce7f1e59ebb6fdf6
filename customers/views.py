"""Scaffold."""

from django.http import HttpRequest, HttpResponse


def list_(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("customers:list")


def new(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("customers:new")


def export(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("customers:export")


def detail(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("customers:detail")


def edit(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("customers:edit")


def timeline(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("customers:timeline")
