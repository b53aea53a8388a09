import { describe, expect, it } from "vitest";
import fc from "../../fast-check.ts";
import { call } from "./calls.ts";

/**
 * Whatever a caller sends, the answer is never a 500, and every error is problem details. The generators lean towards
 * what is nearly right: pure noise only ever meets the first check.
 */
const types = [
  "application/json",
  "application/x-ndjson",
  "APPLICATION/JSON ; charset=latin1",
  "text/plain",
  ";",
  "application/",
];
const nearlySignal = fc.record(
  {
    signal: fc.oneof(
      fc.constantFrom("OBSERVATION", "CAPABILITY_GAP", "Q_DREAM_TRIGGER", "X", "__proto__"),
      fc.string(),
    ),
    source: fc.oneof(fc.constant("s"), fc.string({ unit: "binary" }), fc.constant("\ud800")),
    facts: fc.oneof(fc.constant({ zooid: "z" }), fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue()),
    timestamp: fc.oneof(fc.double(), fc.string(), fc.constantFrom("2026-02-30T99:00:00Z", -1, 1e300)),
    id: fc.oneof(fc.constantFrom("a", "constructor", ""), fc.string()),
    cause: fc.oneof(fc.constantFrom(null, "a"), fc.jsonValue()),
    trace: fc.jsonValue(),
    ["__proto__"]: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const bodies = fc.oneof(
  nearlySignal.map((value) => JSON.stringify(value)),
  fc.array(fc.oneof(nearlySignal, fc.jsonValue()), { maxLength: 5 }).map((value) => JSON.stringify(value)),
  fc.array(nearlySignal, { maxLength: 4 }).map((values) => values.map((value) => JSON.stringify(value)).join("\n")),
  fc.json().map((text) => text.slice(0, -1)),
  fc.constant(JSON.stringify({ signal: "X", source: "s", facts: {} })),
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "[".repeat(100_000),
    `{"a":`.repeat(50_000),
    `${"[".repeat(30_000)}${"]".repeat(30_000)}`,
    "\u0000",
    "null",
    "1e999",
  ),
  fc
    .constantFrom("[", '{"a":')
    .map((open) => `${open.repeat(20_000)}1${(open === "[" ? "]" : "}").repeat(20_000)}`)
    .map((deep) => `{"signal":"X","source":"s","facts":{"deep":${deep}}}`),
  fc.constant(JSON.stringify(Object.fromEntries(Array.from({ length: 110_000 }, (_, n) => [n.toString(36), 1])))),
);

const segments = fc.oneof(
  fc.constantFrom(
    "v1",
    "default",
    "signals",
    "tokens",
    "stream",
    "link",
    "%zz",
    "%00",
    "%2e%2e",
    "..",
    "gaps",
    "status",
    "%ff",
  ),
  fc.string().map(encodeURIComponentSafely),
);
const queries = fc.array(
  fc.tuple(
    fc.constantFrom(
      "limit",
      "after",
      "since",
      "until",
      "order",
      "signal",
      "source",
      "status",
      "seconds",
      "zooid",
      "host",
      "rule",
      "x",
    ),
    fc.oneof(
      fc.string({ unit: "binary" }).map(encodeURIComponentSafely),
      fc.constantFrom("1", "-1", "1e3", "%", "%ff", "9".repeat(16), "*"),
    ),
  ),
  { maxLength: 4 },
);

/** Bodies of the calls that change something, each nearly right. */
const word = fc.oneof(fc.constantFrom("a", "small", "alerts", "q", "__proto__", "", "a b"), fc.string());
const anything = fc.jsonValue();
const nearlyRule = fc.record(
  {
    id: fc.oneof(fc.constantFrom("r", "promotions-to-dream", "R"), fc.string()),
    when: fc.oneof(fc.constantFrom("X_A", "*", "!X", ["X_A"]), anything),
    where: fc.oneof(fc.constantFrom("facts.n > 1", "facts.", "[".repeat(3_000), "1 + ".repeat(900), "true"), anything),
    then: fc.oneof(
      fc.constantFrom([{ emit: { signal: "X_B", facts: { n: "1" } } }], [{ webhook: { endpoint: "alerts" } }], [{}]),
      anything,
    ),
    cooldown: fc.oneof(fc.constantFrom("1s", "-1s", "9".repeat(400)), anything),
    mute: anything,
    expect: anything,
    ask: anything,
    version: fc.oneof(fc.constantFrom(0, 1, -1), anything),
  },
  { requiredKeys: [] },
);
const nearlyModels = fc.record(
  {
    enabled: fc.oneof(fc.boolean(), anything),
    models: fc.oneof(
      fc.array(
        fc.record(
          {
            name: word,
            kind: fc.constantFrom("openai", "workers-ai", "x"),
            model: word,
            url: fc.constantFrom("https://x.test/v1", "http://[", "javascript:1", "https://a:b@x.test"),
            api_key: word,
            max_tokens: fc.oneof(fc.constantFrom(16, 0), fc.double()),
          },
          { requiredKeys: [] },
        ),
        { maxLength: 3 },
      ),
      anything,
    ),
    daily: fc.oneof(fc.constant({ requests: 1, usd: 0 }), anything),
  },
  { requiredKeys: [] },
);
const nearlyFilter = fc.record(
  {
    filter: fc.record(
      {
        kind: fc.oneof(fc.constantFrom("task", "signal"), anything),
        signal: fc.oneof(fc.constant(["Q_*"]), fc.constant(["*".repeat(60)]), anything),
        since: fc.oneof(fc.constantFrom("2026-01-01T00:00:00Z", 1e300), anything),
        text: word,
      },
      { requiredKeys: [] },
    ),
    dry_run: fc.oneof(fc.boolean(), anything),
    limit: fc.oneof(fc.constantFrom(1, 0, 1e9), anything),
    after: fc.oneof(fc.constantFrom("1", "x"), anything),
  },
  { requiredKeys: [] },
);
const nearlyTask = fc.record(
  {
    recipient: fc.constantFrom("*", "coder", "no one"),
    type: fc.constantFrom("T", "no type"),
    payload: anything,
    task_id: word,
    cause: fc.oneof(fc.constantFrom("s1.abc", null), word),
    trace: word,
    depth: fc.oneof(fc.constantFrom(1, 0, 1e9), anything),
  },
  { requiredKeys: ["recipient", "type"] },
);
const nearlyEndpoint = fc.record(
  {
    url: fc.oneof(fc.constantFrom("https://x.test/h", "http://[", "https://10.0.0.1", "file:///etc/passwd"), anything),
    secret: fc.oneof(fc.constantFrom("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_"), anything),
    enabled: fc.oneof(fc.boolean(), anything),
    description: anything,
  },
  { requiredKeys: [] },
);
const changes: readonly (readonly [method: string, path: string, body: fc.Arbitrary<unknown>])[] = [
  ["PUT", "policies/r", nearlyRule],
  ["PATCH", "policies/r", fc.record({ enabled: anything })],
  ["PUT", "policies", fc.record({ policies: fc.oneof(fc.array(nearlyRule, { maxLength: 3 }), anything) })],
  ["PATCH", "policies", fc.record({ policies: fc.oneof(fc.array(nearlyRule, { maxLength: 3 }), anything) })],
  ["POST", "policies/simulate", fc.oneof(fc.record({ rules: fc.array(nearlyRule, { maxLength: 2 }) }), anything)],
  ["PUT", "models", nearlyModels],
  ["PUT", "webhooks/alerts", nearlyEndpoint],
  ["PATCH", "webhooks/alerts", nearlyEndpoint],
  ["POST", "webhooks/nobody/test", anything],
  ["POST", "webhooks/alerts/secret", anything],
  ["POST", "dead-letters/replay", nearlyFilter],
  ["POST", "dead-letters/discard", nearlyFilter],
  ["POST", "dead-letters/policy.1.r/replay", fc.oneof(fc.record({ signal: nearlySignal }), anything)],
  ["PATCH", "monitors", anything],
  ["PUT", "monitors", anything],
  ["POST", "queues/q/tasks", fc.oneof(nearlyTask, fc.array(nearlyTask, { maxLength: 3 }))],
  ["POST", "queues/q/lease", fc.record({ recipient: word, max: anything }, { requiredKeys: [] })],
  ["PATCH", "queues/q", anything],
];
const newerReads = [
  ...["policies", "policies/r", "policies/%00", "expectations", "decisions", "usage", "models", "monitors"],
  ...["webhooks", "webhooks/alerts/deliveries", "webhooks/%ff/deliveries", "dead-letters", "dead-letters/a%2fb"],
  ...["agents", "agents/gpu-01", "agents/%00", "workers", "workers/review/tasks/t1", "workers/%00/tasks/%ff"],
  ...["queues", "queues/q", "queues/q/events", "queues/q/bottlenecks", "queues/q/tasks", "queues/q/tasks/a%00"],
  ...["queues/q/calls/a", "signals/a/lineage", "signals/%ff/lineage", "gaps", "scanners", "observations/history"],
];

function encodeURIComponentSafely(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

async function answersWell(path: string, init: RequestInit, statuses: Set<number>): Promise<void> {
  const response = await call(path, init);
  const text =
    response.webSocket === null && response.headers.get("content-type") !== "text/event-stream"
      ? await response.text()
      : "";
  if (response.status === 101) {
    response.webSocket?.accept();
    response.webSocket?.close();
  } else if (text === "") await response.body?.cancel();
  statuses.add(response.status);
  expect(response.status, `${path} ${text}`).toBeLessThan(500);
  if (response.status >= 400 && init.method !== "HEAD") {
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(JSON.parse(text)).toMatchObject({ status: response.status, title: expect.any(String) });
  }
}

describe("whatever a caller sends", () => {
  // Each test ends by asking which answers it met: a generator that only ever meets the first check proves nothing.
  it("a body is taken or refused, never a mistake of ours", async () => {
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("/v1/fuzz/signals", "/v1/tokens"),
        fc.constantFrom(...types, types[0] ?? "", types[1] ?? ""),
        bodies,
        (path, type, body) => answersWell(path, { method: "POST", body, headers: { "Content-Type": type } }, statuses),
      ),
      { numRuns: 300 },
    );
    expect([...statuses]).toEqual(expect.arrayContaining([202, 400, 415, 422]));
  });

  it("a path, a query and headers are understood or refused", async () => {
    const statuses = new Set<number>();
    const reads = fc.constantFrom(
      ...[
        "signals",
        "signals/a",
        "signals/stream",
        "link",
        "observations",
        "gaps",
        "decisions",
        "dead-letters",
        "status",
      ].map((name) => `/v1/fuzz/${name}`),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("GET", "GET", "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"),
        fc.oneof(
          reads,
          fc.array(segments, { maxLength: 5 }).map((parts) => `/${parts.join("/")}`),
        ),
        queries,
        fc.constantFrom({}, { Upgrade: "websocket" }, { Upgrade: "h2c" }, { "Last-Event-ID": "-" }),
        (method, path, query, headers) => {
          const search = query.map(([name, value]) => `${name}=${value}`).join("&");
          return answersWell(`${path}?${search}`, { method, headers }, statuses);
        },
      ),
      { numRuns: 400 },
    );
    expect([...statuses]).toEqual(expect.arrayContaining([200, 404, 405, 422]));
  });

  it("the newer calls take a change that is nearly right, or refuse it", async () => {
    const statuses = new Set<number>();
    const met = new Map<string, Set<number>>();
    const change = fc
      .constantFrom(...changes)
      .chain(([method, path, body]) => fc.record({ method: fc.constant(method), path: fc.constant(path), body }));
    await fc.assert(
      fc.asyncProperty(
        change,
        fc.constantFrom("application/json", "application/json", "text/plain"),
        async (one, type) => {
          const { method, path, body } = one;
          const own = new Set<number>();
          const init = { method, body: JSON.stringify(body), headers: { "Content-Type": type } };
          await answersWell(`/v1/fuzz/${path}`, init, own);
          for (const status of own) {
            statuses.add(status);
            met.set(path, (met.get(path) ?? new Set()).add(status));
          }
        },
      ),
      { numRuns: 600 },
    );
    expect([...statuses]).toEqual(expect.arrayContaining([200, 415, 422]));
    // Each was asked, and some of what it was asked was worth an answer other than "what is this?".
    expect(changes.map(([, path]) => path).filter((path) => !met.has(path))).toEqual([]);
  }, 60_000);

  it("the newer calls can be asked for anything", async () => {
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("GET", "GET", "GET", "DELETE", "HEAD"),
        fc.constantFrom(...newerReads),
        queries,
        (method, path, query) =>
          answersWell(
            `/v1/fuzz/${path}?${query.map(([name, value]) => `${name}=${value}`).join("&")}`,
            { method, headers: path.endsWith("events") ? { Accept: "application/json" } : {} },
            statuses,
          ),
      ),
      { numRuns: 500 },
    );
    expect([...statuses]).toEqual(expect.arrayContaining([200, 404, 422]));
  }, 60_000);
});
