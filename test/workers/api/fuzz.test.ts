import fc from "fast-check";
import { describe, expect, it } from "vitest";
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
});
