"""Stores users in the database, each in a transaction of its own."""

import logging

from nodes.base import MixinRetry, NodeEffect

from .errors import DuplicateUser, StoreUnavailable

log = logging.getLogger(__name__)


class NodeUserStoreEffect(NodeEffect, MixinRetry):
    """Writes users, and says which errors may be tried again."""

    def __init__(self, pool, metrics) -> None:
        self._pool = pool
        self._metrics = metrics

    async def execute_effect(self, request: "StoreUser") -> "StoredUser":
        """Stores one user and gives its id."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                user_id = await connection.fetchval(INSERT_USER, request.name, request.mail)
        except UniqueViolationError as error:
            raise DuplicateUser(request.mail) from error
        except ConnectionError as error:
            raise StoreUnavailable("the database is away") from error
        finally:
            self._metrics.observe("store_user")
        log.info("stored", extra={"correlation_id": request.correlation_id})
        return StoredUser(user_id)
