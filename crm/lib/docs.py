"""The OpenAPI document and the page that shows it, both without the internet."""

from __future__ import annotations

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace
from django.utils import translation
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response


class OpenApiRenderer(JSONRenderer):
    media_type = "application/vnd.oai.openapi+json"


class SchemaView(SpectacularAPIView):
    """The document, in English: it is for programs and their authors, and one for all."""

    renderer_classes = [JSONRenderer, OpenApiRenderer]
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with translation.override("en"):
            response: Response = self._get_schema_response(request)
        return response


@method_decorator(
    csp_replace({"style-src": [SELF, "'unsafe-inline'"]}),
    name="dispatch",
)
class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI from the installed package. It styles itself inline, on this page alone."""

    url_name = "api-schema"
    template_name = "crm/api_docs.html"
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
