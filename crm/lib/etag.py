"""The version of a record as its ETag, and the If-Match that guards a change with it."""

from rest_framework.request import Request

from crm.lib.problems import PreconditionFailed


def etag(version: int) -> str:
    """`"v3"` for the third version of a record."""
    return f'"v{version}"'


def check_if_match(request: Request, version: int) -> None:
    """Raise PreconditionFailed (412) where If-Match is sent and does not name `version`.

    Compressing servers weaken an ETag on its way out (`W/"v3"`), ours too, so a weakened one
    counts: the version says exactly which state was read.
    """
    header = request.headers.get("If-Match")
    if header is None:
        return
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    if "*" not in tags and etag(version) not in tags:
        raise PreconditionFailed
