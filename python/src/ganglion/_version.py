"""The version: that of the project, of which this client is a part."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

__all__ = ["read_version"]


def read_version() -> str:
    """In the source tree that of package.json; of an installed package its own."""
    manifest = Path(__file__).resolve().parents[3] / "package.json"
    if manifest.exists():
        document = json.loads(manifest.read_text("utf-8"))
        if document.get("name") == "ganglion":
            return str(document["version"])
    return version("ganglion")
