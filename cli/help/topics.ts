import { SCOPES, type Scope } from "../../src/core/access/scopes.ts";
import { DURATION_FORMS } from "../../src/core/times/duration.ts";

/** A page of help that belongs to no single command. `ganglion help <name>` and the man page are made from it. */
export interface Topic {
  readonly name: string;
  readonly summary: string;
  /** Paragraphs, and lists of terms with their meaning. */
  readonly parts: readonly (string | readonly (readonly [term: string, meaning: string])[])[];
}

const MAY: Readonly<Record<Scope, string>> = {
  "signals:write": "emit signals, send telemetry and hooks of agents; with signals:read open an agent's link",
  "signals:read":
    "read signals, observations, gaps, rules, decisions, hosts, file tasks, the status, and dead letters without what tasks hold",
  "tasks:write": "enqueue, cancel and retry tasks, and make calls, in every queue but hosts",
  "tasks:work": "lease tasks, and complete, fail, extend and release them",
  "tasks:read": "read tasks with their payloads and results, the results of calls, and dead letters of tasks whole",
  "hosts:command": "send commands to the agents of hosts (the queue hosts)",
  "questions:answer": "answer questions to people, and take them back",
  "permissions:answer": "allow and deny what sessions of models ask permission for",
  "policy:write": "change rules, bridges, scanners, monitors, maintenance, settings of queues",
  admin: "everything, also tokens, webhooks, models and ecosystems",
};

export const TOPICS: readonly Topic[] = [
  {
    name: "contexts",
    summary: "names for edges, and where a call finds its edge",
    parts: [
      "A context is a name for an edge that you work with: its URL, the file of its token, and an ecosystem. Contexts are in ganglion/contexts.json below $XDG_CONFIG_HOME (~/.config). The file holds no token; token files of contexts must be private (chmod 600).",
      [
        ["ganglion context add prod --url https://edge.example --token-file ~/prod.token", "adds one, or replaces it"],
        ["ganglion context use prod", "uses it from now on; --none uses none"],
        ["ganglion --context prod gaps", "uses it for one call"],
        ["ganglion context list, show, delete", "what there is"],
      ],
      "The URL is taken from the first of these that gives one:",
      [
        ["1.", "--url"],
        ["2.", "the context that --context names"],
        ["3.", "GANGLION_URL"],
        ["4.", "the context that GANGLION_CONTEXT names, or else the one in use"],
        ["5.", "the edge on this machine (its port is GANGLION_PORT, or 8787)"],
      ],
      "Where the URL comes from a context, so do the token and the ecosystem: the token of a context is sent to no other edge. --token-file and --ecosystem come before, GANGLION_TOKEN and GANGLION_ECOSYSTEM count where the context says nothing. The local edge's own token is sent to this machine alone.",
    ],
  },
  {
    name: "durations",
    summary: "how lengths of time and times are written",
    parts: [
      `A length of time is one or more whole numbers with their units ms, s, m, h, d or w: ${DURATION_FORMS}.`,
      "A time is a length of time (so long ago, or, where a time to come is asked for, from now), or one of these:",
      [
        ["10m ago, in 2h, now", "a distance from now"],
        ["14:00, yesterday 14:00, tomorrow 09:30", "an hour, in local time"],
        ["2026-11-29, 2026-11-29 14:00", "a day, or a day and an hour, in local time"],
        ["2026-11-29T14:00:00Z", "RFC 3339; without an offset it is UTC"],
        ["1764424800", "seconds since 1970"],
      ],
    ],
  },
  {
    name: "filters",
    summary: "which signals are meant: names, patterns, conditions",
    parts: [
      "Names of signals may be patterns. * stands for any characters, ! in front leaves out, and several are separated by commas or given by repeated options:",
      [
        ["--signal Q_BUILD_FAILED", "this one"],
        ["--signal 'Q_*,!Q_HEARTBEAT'", "all that begin with Q_, but not this one"],
        ["--source 'gpu-*'", "of these sources"],
      ],
      'A condition is an expression of CEL over a signal, such as facts.host == "gpu-01":',
      [["ganglion signals --filter 'facts.cpu_percent > 90.0 && source != \"demo\"'", "signals that meet it"]],
    ],
  },
  {
    name: "output",
    summary: "tables, JSON, colours, the width of the terminal",
    parts: [
      "On a terminal, tables are fitted to its width, and times are shown in words. --wide fits nothing. Into a file or a pipe everything is written whole.",
      "With --json a list is one JSON document a line, and one thing is one document, with the field names of the HTTP API and times in RFC 3339. Remarks go to standard error.",
      "--watch shows a view again each time that it has changed, until Ctrl-C: when a stream tells of a change, or every two seconds; --watch-every sets how often.",
      [
        ["NO_COLOR", "set to anything: no colours"],
        ["FORCE_COLOR", "1: colours also into a file or a pipe; 0: none anywhere"],
        ["TZ", "time zone of the times that are shown and written, such as Europe/Berlin"],
      ],
    ],
  },
  {
    name: "exit-codes",
    summary: "how a call ended",
    parts: [
      [
        ["0", "done"],
        ["1", "refused or failed: the edge refused it, does not answer, or what was asked for did not work"],
        ["2", "wrong usage: a command, an option, an argument or a setting that cannot be; nothing was sent"],
        ["128 + n", "ended by signal n, such as 130 by Ctrl-C"],
      ],
    ],
  },
  {
    name: "environment",
    summary: "variables that the command reads",
    parts: [
      [
        ["GANGLION_URL", "URL of the edge"],
        ["GANGLION_TOKEN", "the token"],
        ["GANGLION_ECOSYSTEM", "the ecosystem"],
        ["GANGLION_CONTEXT", 'a context, see "ganglion help contexts"'],
        ["GANGLION_PORT", "port of the edge on this machine (8787)"],
        ["GANGLION_STATE_DIR", "state directory of edge and agent on this machine"],
        ["GANGLION_HOST_ID", "source of what is emitted (the name of this machine)"],
        ["XDG_CONFIG_HOME", "where the contexts are (~/.config)"],
        ["XDG_CACHE_HOME", "where an installed command keeps what V8 has compiled of it (~/.cache)"],
        ["NO_COLOR", "no colours"],
      ],
      "A variable that is empty counts as not set.",
    ],
  },
  {
    name: "scopes",
    summary: "what a token may do",
    parts: [
      'A token is made with one or more scopes: ganglion tokens create NAME --scope signals:read. It may be bound to ecosystems, hosts, sources and recipients, and expire; see "ganglion tokens create --help".',
      SCOPES.map((scope) => [scope, MAY[scope]] as const),
    ],
  },
];
