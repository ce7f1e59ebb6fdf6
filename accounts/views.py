"""Scaffold."""

from django.http import HttpRequest, HttpResponse


def users(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:users")


def user_new(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:user-new")


def user_edit(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:user-edit")


def teams(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:teams")


def team_new(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:team-new")


def team_edit(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:team-edit")


def keys(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:keys")


def key_new(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:key-new")


def key_revoke(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:key-revoke")


def syncs(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:syncs")


def sync(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:sync")


def audit(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:audit")


def jobs(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:jobs")


def settings_(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:settings")


def language(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("accounts:language")
