"""Scaffold."""

from django.http import HttpRequest, HttpResponse


def list_(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("orders:list")


def export(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("orders:export")


def detail(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("orders:detail")


def of_customer(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("orders:of-customer")


def products(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("orders:products")


def product_new(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("orders:product-new")


def product(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("orders:product")


def product_edit(request: HttpRequest, pk: int = 0) -> HttpResponse:
    return HttpResponse("orders:product-edit")
