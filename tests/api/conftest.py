"""Whoever calls the API over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.erp import Erp


@pytest.fixture
def remote_erp(live_server, settings) -> Iterator[Erp]:
    settings.API_RATE_PER_MINUTE = 0
    erp = Erp(live_server.url)
    yield erp
    erp.session.close()  # the server's thread ends, and with it its database connection
