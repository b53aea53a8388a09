"""Every operation of the API is a method, or is left out for a reason."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any

import pytest

from ganglion import AsyncClient, Client
from ganglion._operations import BY_HAND, LEFT_OUT, AsyncOperations, Operations


@pytest.fixture(scope="module")
def description(edge_url: str) -> Any:
    with urllib.request.urlopen(f"{edge_url}/openapi.json") as answer:
        return json.load(answer)


def operation_ids(description: Any) -> list[str]:
    return [operation["operationId"] for methods in description["paths"].values() for operation in methods.values()]


def snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


def test_every_operation_of_the_edge_is_a_method_or_left_out_with_a_reason(description: Any) -> None:
    missing = [
        id
        for id in operation_ids(description)
        if id not in LEFT_OUT
        and not (hasattr(Operations, snake(id)) and hasattr(AsyncOperations, snake(id)))
        and not (id in BY_HAND and hasattr(Client, BY_HAND[id]) and hasattr(AsyncClient, BY_HAND[id]))
    ]
    assert missing == []


def test_nothing_is_left_out_that_the_edge_does_not_have(description: Any) -> None:
    assert set(LEFT_OUT) | set(BY_HAND) <= set(operation_ids(description))
    assert all(LEFT_OUT.values())


def test_both_clients_have_the_same_methods() -> None:
    of = [{name for name in dir(kind) if not name.startswith("_")} for kind in (Client, AsyncClient)]
    assert of[0] == of[1]
