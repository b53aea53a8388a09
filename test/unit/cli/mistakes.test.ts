import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { fileTrouble } from "../../../cli/file-trouble.ts";
import { type Answer, type Received, startEdge } from "./fake-edge.ts";
import { ganglion, TOKEN } from "./ganglion.ts";

const at = "2026-01-01T00:00:00.000Z";
const rule = {
  id: "disk-full",
  version: 1,
  description: "",
  enabled: true,
  priority: 5,
  when: ["Q_A"],
  rate: { n: 1, per: "1m" },
  then: [{ emit: { signal: "Q_B", facts: {} } }],
  built_in: false,
  modified: false,
  changed_at: at,
  changed_by: null,
};
const host = {
  host: "gpu-01",
  state: "up",
  since: at,
  reason: "linked",
  links: 1,
  last_seen: at,
  version: null,
  failing: {},
  alerts: [],
  runs: null,
  facts: null,
};
const endpoint = { id: "pager", url: "https://e", enabled: true, description: null, waiting: 0, created_at: at };
const LISTS: Readonly<Record<string, unknown>> = {
  queues: {
    queues: [
      { name: "work", created_at: at },
      { name: "hosts", created_at: at },
    ],
  },
  agents: { agents: [host] },
  policies: { policies: [rule] },
  webhooks: { webhooks: [endpoint] },
  inbox: { sources: [] },
};

/** An edge that knows one thing of each kind, and nothing by another name. */
function answer({ url: { pathname }, authorization }: Received): Answer {
  if (authorization !== `Bearer ${TOKEN}`)
    return [401, { type: "/problems/no-token", title: "No valid token", status: 401 }];
  const path = pathname.replace("/v1/default/", "");
  if (path in LISTS) return [200, LISTS[path]];
  if (path.startsWith("export"))
    return [
      403,
      {
        type: "/problems/no-scope",
        title: "The token lacks the scope",
        status: 403,
        detail: "This call needs the scope admin.",
        scope: "admin",
      },
    ];
  return [404, { type: "/problems/not-found", title: "Not found", status: 404 }];
}

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "ganglion-mistakes-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

interface Mistake {
  readonly args: readonly string[];
  readonly says: RegExp;
  readonly code: 1 | 2;
  readonly env?: Record<string, string>;
  readonly input?: string;
}

/** What is wrong, where, and what to do: each answer says all three. */
const MISTAKES: Readonly<Record<string, Mistake>> = {
  "a wrong token": {
    args: ["gaps"],
    env: { GANGLION_TOKEN: "wrong" },
    code: 1,
    says: /the edge did not accept the token: give a valid one with GANGLION_TOKEN or --token-file/,
  },
  "no token for another machine": {
    args: ["gaps", "--url", "https://edge.example"],
    env: { GANGLION_TOKEN: "" },
    code: 2,
    says: /no token for https:\/\/edge\.example: give one with GANGLION_TOKEN or --token-file/,
  },
  "an edge that is down": {
    args: ["gaps", "--url", "http://127.0.0.1:65529"],
    code: 1,
    says: /no edge answers at http:\/\/127\.0\.0\.1:65529 \(connection refused\); start one .* or set GANGLION_URL/,
  },
  "a wrong host name of the edge": {
    args: ["gaps", "--url", "http://no-such-edge.invalid"],
    code: 1,
    says: /no edge answers at http:\/\/no-such-edge\.invalid \(.*\); .* set GANGLION_URL/,
  },
  "an address without http": {
    args: ["gaps", "--url", "edge.example:8787"],
    code: 2,
    says: /"edge\.example:8787" is not the URL of an edge: give one such as http:\/\/edge\.example:8787 \(--url or GANGLION_URL\)/,
  },
  "a wrong name of the ecosystem": {
    args: ["gaps", "--ecosystem", "My Site"],
    code: 2,
    says: /"My Site" is no name of an ecosystem \(--ecosystem or GANGLION_ECOSYSTEM\): .*a-z/,
  },
  "JSON that is none": {
    args: ["tasks", "add", "coder", "--type", "X", "--payload", '{"n":'],
    code: 2,
    says: /--payload is not JSON: .*; a text is written in quotes, as in --payload '"text"'/,
  },
  "facts that are no object": {
    args: ["emit", "Q_X", "--facts", "[1]"],
    code: 2,
    says: /'--facts <json>' argument '\[1\]' is invalid\. Give a JSON object, such as/,
  },
  "a missing argument": {
    args: ["emit"],
    code: 2,
    says: /missing required argument 'signal'\n\(add --help for usage\)/,
  },
  "a missing recipient": {
    args: ["tasks", "add", "--type", "X"],
    code: 2,
    says: /no recipient: name the agent that should do the task, or \* for anyone/,
  },
  "a missing type": { args: ["tasks", "add", "coder"], code: 2, says: /no type: give --type, such as --type BUILD/ },
  "an extra argument": {
    args: ["gaps", "one", "two"],
    code: 2,
    says: /too many arguments.*Expected 1 argument but got 2.*\n\(add --help for usage\)/,
  },
  "a typo of a command": { args: ["signls"], code: 2, says: /unknown command 'signls'\n\(Did you mean signals\?\)/ },
  "a typo of an option": {
    args: ["signals", "--sinc", "10m"],
    code: 2,
    says: /unknown option '--sinc'\n\(Did you mean --since\?\)/,
  },
  "a typo of a sub-command": {
    args: ["tasks", "lst"],
    code: 2,
    says: /unknown command 'lst'\n\(Did you mean list\?\)/,
  },
  "a choice that there is not": {
    args: ["gaps", "--status", "closed"],
    code: 2,
    says: /'closed' is invalid\. Allowed choices are open, resolved, all/,
  },
  "a wrong unit": {
    args: ["signals", "--since", "10min"],
    code: 2,
    says: /'--since <time>' argument '10min' is invalid\. "min" is no unit: use m\. Write a time such as 10m/,
  },
  "a length of time without a unit": {
    args: ["export", "set", "--interval", "30"],
    code: 2,
    says: /30 has no unit: write 30s for seconds/,
  },
  "a day that there is not": {
    args: ["signals", "--since", "2026-02-30"],
    code: 2,
    says: /2026-02-30 does not exist in the calendar/,
  },
  "an expiry that has passed": {
    args: ["tokens", "create", "x", "--scope", "admin", "--expires", "2020-01-01"],
    code: 2,
    says: /2020-01-01T.* has passed\. Give a time to come, such as 7d/,
  },
  "a number that is too large": {
    args: ["decisions", "--limit", "100000"],
    code: 2,
    says: /'--limit <n>' argument '100000' is invalid\. Give a whole number from 1 to 1000/,
  },
  "a scope that the token lacks": {
    args: ["ecosystem", "export", "-"],
    code: 1,
    says: /The token lacks the scope: This call needs the scope admin\. Ask an administrator for one: `ganglion tokens create <name> --scope admin`/,
  },
  "a scope that there is not": {
    args: ["tokens", "create", "x", "--scope", "signals:raed"],
    code: 2,
    says: /unknown scope "signals:raed"; did you mean signals:read\? Give one of /,
  },
  "an unknown queue": {
    args: ["bottlenecks", "--queue", "wrok"],
    code: 1,
    says: /No queue "wrok"\. Did you mean work\? List them: `ganglion queues`/,
  },
  "an unknown task": {
    args: ["tasks", "show", "t-1"],
    code: 1,
    says: /No task "t-1" in the queue work: it never was, or it ended too long ago/,
  },
  "an unknown host": {
    args: ["agents", "gpu-1"],
    code: 1,
    says: /No host "gpu-1"\. Did you mean gpu-01\? List them: `ganglion hosts`/,
  },
  "an unknown rule": {
    args: ["policy", "disable", "disk-ful"],
    code: 1,
    says: /No rule "disk-ful"\. Did you mean disk-full\? List them: `ganglion policy list`/,
  },
  "an unknown webhook": {
    args: ["webhooks", "test", "pagr"],
    code: 1,
    says: /No webhook endpoint "pagr"\. Did you mean pager\? List them/,
  },
  "an unknown dead letter": {
    args: ["dlq", "show", "x"],
    code: 1,
    says: /No dead letter "x"\. List them: `ganglion dlq list`/,
  },
  "a file that does not exist": {
    args: ["policy", "put", "/no/rules.yaml"],
    code: 2,
    says: /there is no file \/no\/rules\.yaml: check the name, from this directory/,
  },
  "a payload's file that does not exist": {
    args: ["tasks", "add", "c", "--type", "X", "--payload", "@/no/p.json"],
    code: 2,
    says: /--payload: there is no file \/no\/p\.json/,
  },
  "a token file that does not exist": {
    args: ["gaps", "--token-file", "/no/token"],
    code: 2,
    says: /token file \/no\/token does not exist: check --token-file/,
  },
  "a directory in place of a token file": {
    args: ["gaps", "--token-file", "/tmp"],
    code: 2,
    says: /cannot read the token file: \/tmp is a directory: name a file/,
  },
  "a file that cannot be written": {
    args: ["ecosystem", "export", "/no/dir/file"],
    code: 1,
    says: /\/no\/dir\/file cannot be written: its directory does not exist; make it/,
  },
  "a line of many tasks that is none": {
    args: ["tasks", "add", "--bulk", "-"],
    input: '{"recipient":"a","type":"T"}\n{"type":"T"}\n',
    code: 2,
    says: /line 2 of the standard input: recipient is missing: .* No task was queued/,
  },
  "times that are the wrong way round": {
    args: ["signals", "--since", "10m", "--until", "1h"],
    code: 2,
    says: /--until .* is not after --since .*: give a later one, or leave it out/,
  },
  "two options that exclude each other": {
    args: ["signals", "--follow", "--until", "1m"],
    code: 2,
    says: /--until does not go with --follow; use --after/,
  },
};

describe("a mistake at the command line", () => {
  it.each(Object.entries(MISTAKES))("is explained: %s", async (_what, { args, says, code, env = {}, input = "" }) => {
    const edge = await startEdge(answer);
    const where = args.includes("--url") ? [] : ["--url", edge.url];
    const finished = await ganglion([...args, ...where], { env, input });
    expect(finished.err).toMatch(says);
    expect([finished.code, finished.out]).toEqual([code, ""]);
    expect(finished.err).not.toMatch(/\n +at |Error:|undefined|\[object/);
  });

  it("in a rule file is shown with its line and column", async () => {
    const file = join(directory(), "rules.yaml");
    writeFileSync(file, "id: hot\nwhen: Q_A\nthen:\n  - emit: { signl: Q_HOT }\n");
    const { code, err } = await ganglion(["policy", "put", file]);
    expect([code, err]).toEqual([1, expect.stringMatching(/rules\.yaml:4:\d+: .*signal/)]);
  });

  it("in what another server answers is no stack trace", async () => {
    const edge = await startEdge(() => [200, "<html>"]);
    const { code, err } = await ganglion(["gaps", "--url", edge.url]);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/has another shape than this client expects|is not Ganglion/),
    ]);
  });

  it.each([
    ["EROFS", /lies on a file system that takes no changes: name a file elsewhere/],
    ["EACCES", /may not be read or written by this user/],
    ["ENOSPC", /no room left on the disk/],
    ["EMFILE", /cannot be read or written \(EMFILE\)/],
  ])("about a file is explained by what the system says: %s", (errno, says) => {
    expect(fileTrouble("f", Object.assign(new Error("x"), { code: errno }))).toMatch(says);
  });
});
