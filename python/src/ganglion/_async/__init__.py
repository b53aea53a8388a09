"""The client for asyncio, over its streams."""
