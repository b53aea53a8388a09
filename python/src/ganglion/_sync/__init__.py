"""The client that blocks, over ``http.client``."""
