"""The edges that a person works with, each under a name, as ``ganglion context add`` keeps them."""

from __future__ import annotations

import difflib
import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping

from ..errors import SettingsError

__all__ = ["Context", "context_for", "require_private"]


@dataclass(frozen=True, slots=True)
class Context:
    url: str
    token_file: str | None = None
    """The token itself stands in a file of its own."""
    ecosystem: str | None = None


def context_for(name: str | None, url: str | None, env: Mapping[str, str]) -> Context | None:
    """The context that says where the edge is, where one does: a context's token and ecosystem belong to its URL."""
    if name is not None:
        if url is not None:
            raise SettingsError("url= does not go with context=, which names a URL")
        return _named(name, _read(env)[1], env)
    if url is not None or env.get("GANGLION_URL"):
        return None
    current, contexts = _read(env)
    in_use = env.get("GANGLION_CONTEXT") or current
    return None if in_use is None else _named(in_use, contexts, env)


def require_private(file: str) -> None:
    """:raises SettingsError: others can use the file: a token in it is theirs, too"""
    if sys.platform == "win32":
        return
    try:
        mode = stat.S_IMODE(os.stat(file).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        raise SettingsError(f"token file {file} does not exist") from None
    except OSError as error:
        raise SettingsError(f"cannot read the token file {file} ({error.strerror})") from None
    if mode & 0o077:
        raise SettingsError(f'others can use the token file {file} (its mode is {mode:04o}): run "chmod 600 {file}"')


def _file(env: Mapping[str, str]) -> Path:
    """https://specifications.freedesktop.org/basedir-spec/latest/: a relative path counts as unset"""
    given = env.get("XDG_CONFIG_HOME") or ""
    base = Path(given) if given.startswith("/") else Path(env.get("HOME") or Path.home()) / ".config"
    return base / "ganglion" / "contexts.json"


def _read(env: Mapping[str, str]) -> tuple[str | None, Mapping[str, Any]]:
    file = _file(env)
    try:
        document = json.loads(file.read_text("utf-8"))
        current, contexts = document["current"], document["contexts"]
        whole = isinstance(contexts, dict) and (current is None or isinstance(current, str))
    except (FileNotFoundError, NotADirectoryError):
        return None, {}
    except OSError as error:
        raise SettingsError(f"cannot read the contexts in {file} ({error.strerror})") from None
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise SettingsError(_broken(file))
    return current, contexts


def _named(name: str, contexts: Mapping[str, Any], env: Mapping[str, str]) -> Context:
    found = contexts.get(name)
    if found is None:
        near = difflib.get_close_matches(name, contexts, 1)
        hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(contexts)}"
        if not contexts:
            hint = 'there are none; add one with "ganglion context add"'
        raise SettingsError(f'no context is called "{name}": {hint}')
    fields = ("url", "token_file", "ecosystem")
    if not isinstance(found, dict) or not isinstance(found.get("url"), str) or not set(found) <= set(fields):
        raise SettingsError(_broken(_file(env)))
    return Context(found["url"], found.get("token_file"), found.get("ecosystem"))


def _broken(file: Path) -> str:
    return f'{file} does not hold contexts: repair it, or delete it and add them with "ganglion context add"'
