"""Where the edge is, and the token for it: found as the command ``ganglion`` finds them."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping
from urllib.parse import SplitResult, urlsplit

from ..errors import SettingsError
from .contexts import context_for, require_private

__all__ = ["Settings", "read_settings"]

_LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
_ECOSYSTEM = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_PLAIN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Settings:
    """Address, token and ecosystem of a client. The token is in no ``repr``."""

    scheme: str
    host: str
    port: int
    base: str
    """Path below which the API lies; mostly empty."""
    ecosystem: str
    source: str
    """Of signals that name none: this host."""
    token: str = field(repr=False)

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return f"{self.scheme}://{host}" + ("" if self.port == default else f":{self.port}")


def read_settings(
    url: str | None = None,
    token: str | None = None,
    ecosystem: str | None = None,
    *,
    token_file: str | os.PathLike[str] | None = None,
    source: str | None = None,
    context: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Arguments come first, then the environment, then the context in use, then the edge on this machine."""
    env = os.environ if environment is None else environment
    used = context_for(context, url, env)
    given = url or _set(env, "GANGLION_URL") if used is None else used.url
    parts = _read_url(given or f"http://127.0.0.1:{_set(env, 'GANGLION_PORT') or '8787'}")
    host = parts.hostname or ""
    if token is None and token_file is None and used is not None and used.token_file is not None:
        require_private(used.token_file)
        token_file = used.token_file
    named = ecosystem or (None if used is None else used.ecosystem) or _set(env, "GANGLION_ECOSYSTEM") or "default"
    if _ECOSYSTEM.fullmatch(named) is None:
        raise SettingsError(
            f"{named!r} is no name of an ecosystem (ecosystem= or GANGLION_ECOSYSTEM): give a-z, 0-9 and -, beginning with "
            "a letter or digit, 63 characters at most"
        )
    return Settings(
        scheme=parts.scheme,
        host=host,
        port=parts.port or (443 if parts.scheme == "https" else 80),
        base=parts.path.rstrip("/"),
        ecosystem=named,
        source=source or _set(env, "GANGLION_HOST_ID") or socket.gethostname(),
        token=_read_token(token, token_file, env, host, f"{parts.scheme}://{parts.netloc}"),
    )


def _read_url(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        # A URL may hold a password: it is shown only where it could be read, and then without one.
        shown = f'"{text}"' if "@" not in text else "the URL"
        raise SettingsError(
            f"{shown} is not the URL of an edge: give one such as http://127.0.0.1:8787 (url= or GANGLION_URL)"
        )
    if parts.username is not None or parts.password is not None:
        raise SettingsError(
            "the URL of the edge must not hold a name or password: give the token with GANGLION_TOKEN, token= or token_file="
        )
    return parts


def _read_token(
    token: str | None,
    token_file: str | os.PathLike[str] | None,
    env: Mapping[str, str],
    host: str,
    origin: str,
) -> str:
    if token is not None:
        return _checked(token, "token=")
    if token_file is not None:
        text = _read_if_there(Path(token_file))
        if text is None:
            raise SettingsError(f"token file {os.fspath(token_file)} does not exist")
        return _checked(text, os.fspath(token_file))
    given = _set(env, "GANGLION_TOKEN")
    if given is not None:
        return _checked(given, "GANGLION_TOKEN")
    # The local edge's token opens everything there: it is never sent to another machine.
    if host not in _LOCAL_HOSTS:
        raise SettingsError(f"no token for {origin}: give one with GANGLION_TOKEN, token= or token_file=")
    candidates = _local_token_files(env)
    for file in candidates:
        text = _read_if_there(file)
        if text is not None:
            return _checked(text, str(file))
    raise SettingsError(
        f'no token: set GANGLION_TOKEN, give token_file=, or start the edge on this machine with "npm start", '
        f"which creates one in {candidates[0]}"
    )


def _local_token_files(env: Mapping[str, str]) -> list[Path]:
    state = _set(env, "GANGLION_STATE_DIR")
    if state is not None:
        return [Path(state) / "token"]
    # The current directory, or else the project, if this package is used from its source tree.
    files = [Path(".ganglion") / "token"]
    project = Path(__file__).resolve().parents[4]
    if (project / "package.json").exists():
        files.append(project / ".ganglion" / "token")
    return files


def _read_if_there(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text"
        raise SettingsError(f"cannot read the token file {file} ({reason})") from None


def _checked(text: str, where: str) -> str:
    """Refuses a token that cannot be sent in a header, without printing it."""
    token = text.strip()
    if _PLAIN.fullmatch(token) is None:
        raise SettingsError(f"{where} holds no token: give one word of plain characters")
    return token


def _set(env: Mapping[str, str], name: str) -> str | None:
    """An empty variable is an absent one."""
    return env.get(name) or None
