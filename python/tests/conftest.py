"""Where the tests find the edge: whoever runs them starts one and names it (test/integration/python/)."""

from __future__ import annotations

import os
import uuid
from typing import Iterator

import pytest

from ganglion import Client


@pytest.fixture(scope="session")
def edge_url() -> str:
    url = os.environ.get("GANGLION_URL")
    if not url or not os.environ.get("GANGLION_TOKEN"):
        pytest.skip("no edge: set GANGLION_URL and GANGLION_TOKEN")
    return url


@pytest.fixture
def client(edge_url: str) -> Iterator[Client]:
    with Client() as client:
        yield client


@pytest.fixture
def name() -> str:
    """A name that no other test has, for signals and queues."""
    return f"T{uuid.uuid4().hex[:12]}"
