"""``python -m ganglion``: emit, query, follow, enqueue, work and call, for shells without Node."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from typing import Any, Callable, Sequence

from ._version import read_version
from . import ApiProblem, Client, GanglionError, SettingsError, TaskRefused, Unauthorized, Work, Worker

_MAX_BATCH = 1_000


def main(arguments: Sequence[str] | None = None) -> int:
    """:returns: the exit code: 0, 1 where the command failed, 2 where it was given wrongly"""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        with Client(
            options.url, ecosystem=options.ecosystem, token_file=options.token_file, context=options.context
        ) as client:
            run: Callable[[Client, argparse.Namespace], int] = options.run
            return run(client, options)
    except (SettingsError, _Usage) as error:
        print(error, file=sys.stderr)
        return 2
    except Unauthorized:
        print("the edge did not accept the token: give a valid one with GANGLION_TOKEN or --token-file", file=sys.stderr)
        return 1
    except ApiProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    except GanglionError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever reads, such as `head`, has enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


class _Usage(Exception):
    pass


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", help="where the edge is; default: GANGLION_URL, or this machine")
    common.add_argument("--context", help="an edge that \"ganglion context add\" has kept")
    common.add_argument("--token-file", help="a file with the token; default: GANGLION_TOKEN, or that of the local edge")
    common.add_argument("--ecosystem", help="default: GANGLION_ECOSYSTEM, or default")
    parser = argparse.ArgumentParser(prog="python -m ganglion", description="Talks to a Ganglion edge; prints JSON lines.")
    parser.add_argument("--version", action="version", version=read_version())
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Callable[[Client, argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, parents=[common], help=help, description=help)
        made.set_defaults(run=run)
        return made

    emit = command("emit", _emit, "emit a signal, or with - one for each line of JSON on standard input")
    emit.add_argument("signal")
    emit.add_argument("--fact", action="append", default=[], metavar="NAME=VALUE", help="JSON, or else a text; repeatable")
    emit.add_argument("--facts", metavar="JSON", help="the facts as one object")
    emit.add_argument("--source", help="default: this host")
    emit.add_argument("--id")
    emit.add_argument("--cause")

    query = command("query", _query, "print signals of the log")
    query.add_argument("signal", nargs="*", help="patterns of names, such as Q_*")
    query.add_argument("--source")
    query.add_argument("--since", help="RFC 3339 or seconds since the epoch")
    query.add_argument("--until")
    query.add_argument("--filter", metavar="CEL", help="such as 'facts.cpu_percent > 90.0'")
    query.add_argument("--limit", type=int, default=100, help="most signals, the newest; default 100")

    follow = command("follow", _follow, "print signals as they come")
    follow.add_argument("signal", nargs="*", help="patterns of names, such as Q_*")
    follow.add_argument("--after", type=int, help="start behind this place in the log; default: from now on")

    enqueue = command("enqueue", _enqueue, "put a task into a queue")
    _work_arguments(enqueue)
    enqueue.add_argument("--id", help="a second task of the same id is not queued")
    enqueue.add_argument("--priority", type=int, help="1, the most urgent, to 10")

    call = command("call", _call, "ask a responder, and print the reply")
    _work_arguments(call)
    call.add_argument("--timeout", type=float, default=5.0, help="longest wait in seconds; default 5")

    work = command("work", _work, "run a command for each task: it gets the task as JSON, and its output is the result")
    work.add_argument("queue")
    work.add_argument("recipient")
    work.add_argument("--concurrency", type=int, default=1)
    work.add_argument("--lease", type=float, default=30.0, help="seconds; extended while the command runs")
    work.add_argument("command", nargs=argparse.REMAINDER, help="-- and the command with its arguments")
    return parser


def _work_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("queue")
    parser.add_argument("recipient")
    parser.add_argument("type")
    parser.add_argument("--payload", default="null", help="JSON, or else a text; @file, or - for standard input")


def _emit(client: Client, options: argparse.Namespace) -> int:
    if options.signal == "-":
        _emit_lines(client, options)
        return 0
    facts = _object(options.facts) if options.facts is not None else {}
    for text in options.fact:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise _Usage(f"--fact {text}: give NAME=VALUE")
        facts[name] = _value(value)
    receipt = client.emit(options.signal, facts, source=options.source, id=options.id, cause=options.cause)
    _print({"seq": receipt.last_seq, "id": receipt.ids[0], "duplicate": receipt.duplicates == 1})
    return 0


def _emit_lines(client: Client, options: argparse.Namespace) -> None:
    if options.fact or options.facts or options.id or options.cause:
        raise _Usage("facts, an id and a cause do not go with -: put them into each line")
    batch: list[dict[str, Any]] = []
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        try:
            one = json.loads(line)
            batch.append({"source": options.source, **one, "signal": one["signal"]})
        except (ValueError, TypeError, KeyError):
            raise _Usage(f'line {number} is no signal: give {{"signal": …, "facts": …}}') from None
        if len(batch) == _MAX_BATCH:
            _print(asdict(client.emit_many(batch)))
            batch = []
    if batch:
        _print(asdict(client.emit_many(batch)))


def _query(client: Client, options: argparse.Namespace) -> int:
    found = client.query(
        options.signal or None,
        source=options.source,
        since=options.since,
        until=options.until,
        filter=options.filter,
        order="desc",
        limit=options.limit,
    )
    for one in reversed(list(found)):
        _print(_compact(asdict(one)))
    return 0


def _follow(client: Client, options: argparse.Namespace) -> int:
    def remark(reason: str, delay: float) -> None:
        print(f"{reason}; trying again in {delay:.1f} s", file=sys.stderr)

    for one in client.follow(*options.signal, after=options.after, on_interrupted=remark):
        _print(_compact(asdict(one)))
    return 0


def _enqueue(client: Client, options: argparse.Namespace) -> int:
    payload = _payload(options.payload)
    receipt = client.enqueue(
        options.queue, options.recipient, options.type, payload, task_id=options.id, priority=options.priority
    )
    _print(asdict(receipt))
    return 0


def _call(client: Client, options: argparse.Namespace) -> int:
    payload = _payload(options.payload)
    _print(client.call(options.queue, options.recipient, options.type, payload, timeout=options.timeout).result)
    return 0


def _work(client: Client, options: argparse.Namespace) -> int:
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise _Usage("give the command after --, such as: work team coder -- ./do.sh")
    worker = Worker(
        options.queue,
        options.recipient,
        lambda work: _run(command, work),
        client=client,
        concurrency=options.concurrency,
        lease=options.lease,
        on_remark=lambda text: print(text, file=sys.stderr, flush=True),
    )
    try:
        worker.run()
    finally:
        # What was given back must not go on here.
        for process in list(_running):
            _end(process)
    return 0


def _run(command: Sequence[str], work: Work) -> Any:
    """The command's output as the result: JSON, or else a text. 75 (EX_TEMPFAIL) and every other failure is tried again."""
    document = {"task_id": work.task_id, "type": work.type, "attempt": work.attempt, "payload": work.payload}
    environment = {**os.environ, "GANGLION_TASK_ID": work.task_id, "GANGLION_ATTEMPT": str(work.attempt)}
    try:
        # A group of its own: a cancelled task ends with all that it started, and a signal for the worker ends none.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise TaskRefused(f"{command[0]} cannot be started: {error.strerror}") from None
    ended = threading.Event()
    _running.add(process)
    threading.Thread(target=_end_if_cancelled, args=(process, work, ended), daemon=True).start()
    output, errors = process.communicate(json.dumps(document).encode() + b"\n")
    ended.set()
    _running.discard(process)
    work.raise_if_cancelled()
    if process.returncode != 0:
        lines = errors.decode(errors="replace").strip().splitlines()
        raise GanglionError(lines[-1] if lines else f"{command[0]} ended with {process.returncode}")
    return _value(output.decode(errors="replace").strip())


_running: set[subprocess.Popen[bytes]] = set()


def _end_if_cancelled(process: subprocess.Popen[bytes], work: Work, ended: threading.Event) -> None:
    while not ended.wait(0.2):
        if work.cancelled:
            _end(process)
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks a command and all that it started to end, and ends them two seconds later."""
    for each in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, each)
            process.wait(2.0)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _payload(text: str) -> Any:
    if text == "-":
        return _value(sys.stdin.read())
    if text.startswith("@"):
        try:
            with open(text[1:], encoding="utf-8") as file:
                return _value(file.read())
        except (OSError, UnicodeDecodeError) as error:
            raise _Usage(f"--payload {text}: {error}") from None
    return _value(text)


def _object(text: str) -> dict[str, Any]:
    value = _value(text)
    if not isinstance(value, dict):
        raise _Usage("--facts: give a JSON object")
    return value


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _compact(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}


def _print(document: Any) -> None:
    print(json.dumps(document, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    sys.exit(main())
