import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { ganglion, TOKEN } from "./ganglion.ts";

const appended = { first_seq: 7, last_seq: 7, accepted: 1, duplicates: 0, ids: ["an-id"] };
const kept = (seq: number, change: object = {}) => ({
  seq,
  id: `id-${seq}`,
  signal: "OBSERVATION",
  source: "s",
  ecosystem: "default",
  timestamp: "2026-01-01T00:00:00.000Z",
  received_at: "2026-01-01T00:00:00.000Z",
  facts: { n: seq },
  ...change,
});

describe("ganglion emit", () => {
  it("emits a signal with its facts, its source and an id of its own", async () => {
    const edge = await startEdge(() => [202, appended]);
    const args = [
      "emit",
      "Q_X",
      "--facts",
      '{"a":1,"b":{"c":2}}',
      "--fact",
      "d=true",
      "--fact",
      "e=five six",
      "--url",
      edge.url,
    ];
    const { code, out, err } = await ganglion(args);
    expect([code, out, err]).toEqual([0, "id   an-id\nseq  7\n", ""]);
    expect(edge.received).toHaveLength(1);
    expect(edge.received[0]).toMatchObject({
      method: "POST",
      authorization: `Bearer ${TOKEN}`,
      body: {
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        signal: "Q_X",
        source: "this-host",
        facts: { a: 1, b: { c: 2 }, d: true, e: "five six" },
      },
    });
    expect(edge.received[0]?.url.pathname).toBe("/v1/default/signals");
  });

  it("keeps a fact as text that would not come back as it was typed", async () => {
    const edge = await startEdge(() => [202, appended]);
    const values = {
      sha: "12e5678",
      short: "215e6",
      id: "1234567890123456789",
      list: "[9007199254740993,1]",
      n: "-12.50",
      big: "9007199254740991",
      yes: "true",
    };
    const facts = Object.entries(values).flatMap(([name, value]) => ["--fact", `${name}=${value}`]);
    expect((await ganglion(["emit", "Q_X", ...facts, "--url", edge.url])).code).toBe(0);
    const body = edge.received[0]?.body as { facts: object } | undefined;
    expect(body?.facts).toEqual({
      sha: "12e5678",
      short: "215e6",
      id: "1234567890123456789",
      list: ["9007199254740993", 1],
      n: -12.5,
      big: 9_007_199_254_740_991,
      yes: true,
    });
  });

  it("takes lines that begin with a byte-order mark, and keeps long numbers in them as text", async () => {
    const edge = await startEdge(() => [202, appended]);
    const input = '\ufeff{"signal":"Q_X","facts":{"id":9007199254740993}}\n';
    const { code, err } = await ganglion(["emit", "-", "--url", edge.url], { input });
    expect([code, err]).toEqual([0, ""]);
    expect(edge.received[0]?.body).toMatchObject([{ facts: { id: "9007199254740993" } }]);
  });

  it("tries again under the same id while the edge has too much to do", async () => {
    let calls = 0;
    const busy = { type: "/problems/overloaded", title: "Too much at once", status: 503, retry_after_ms: 20 };
    const edge = await startEdge(() => (++calls < 3 ? [503, busy, { "Retry-After": "1" }] : [202, appended]));
    const { code, out } = await ganglion(["emit", "X", "--json", "--url", edge.url, "--ecosystem", "lab"]);
    expect([code, JSON.parse(out)]).toEqual([0, appended]);
    const ids = edge.received.map(({ body }) => (body as { id: string }).id);
    expect([ids.length, new Set(ids).size]).toEqual([3, 1]);
    expect(edge.received[0]?.url.pathname).toBe("/v1/lab/signals");
  });

  /** An edge that takes a batch as a whole, or refuses it and points to the signals whose `n` is bad. */
  const pickyEdge = (isBad: (n: unknown) => boolean, most = 100) =>
    startEdge(({ body }) => {
      const errors = (body as { facts: { n: unknown } }[]).flatMap(({ facts }, place) =>
        isBad(facts.n) ? [{ pointer: `/${place}/facts/n`, message: "too big" }] : [],
      );
      return errors.length > 0
        ? [422, { type: "/problems/invalid-signal", title: "Not valid", status: 422, errors: errors.slice(0, most) }]
        : [202, { ...appended, accepted: (body as unknown[]).length }];
    });
  const numbered = (count: number) =>
    Array.from({ length: count }, (_, n) => JSON.stringify({ signal: "X", source: "s", facts: { n } }));
  const taken = (edge: Awaited<ReturnType<typeof startEdge>>) =>
    ((edge.received.at(-1)?.body ?? []) as { facts: { n: number } }[]).map(({ facts }) => facts.n);

  it("reads signals line by line", async () => {
    const edge = await pickyEdge(() => false);
    const { code, out } = await ganglion(["emit", "-", "--url", edge.url], { input: numbered(3).join("\r\n") });
    expect([code, out]).toEqual([0, "Accepted: 3\nDuplicates: 0\n"]);
  });

  it("tells a line that the edge refuses by its number, and emits all others", async () => {
    const edge = await pickyEdge((n) => n === 600);
    const input = ["", ...numbered(700)].join("\n");
    const { code, out, err } = await ganglion(["emit", "-", "--url", edge.url], { input });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toBe("ganglion: line 602: /facts/n: too big\nganglion: 1 line was refused; 699 signals were emitted\n");
    expect(taken(edge)).toEqual(Array.from({ length: 200 }, (_, n) => n + 500).filter((n) => n !== 600));
  });

  it("emits all good lines when the edge names only some of the bad ones at a time", async () => {
    const edge = await pickyEdge((n) => Number(n) % 2 === 1, 3);
    const { code, err } = await ganglion(["emit", "-", "--url", edge.url], { input: numbered(20).join("\n") });
    expect(code).toBe(1);
    expect(err).toContain("10 lines were refused; 10 signals were emitted");
    expect(taken(edge)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
  });

  it("emits the lines around one that is not JSON", async () => {
    const edge = await pickyEdge(() => false);
    const [first, second] = numbered(2);
    const input = [first, "{", "[]", "7", second].join("\n");
    const { code, err } = await ganglion(["emit", "-", "--url", edge.url], { input });
    expect(code).toBe(1);
    expect(err).toBe(
      "ganglion: line 2 is not JSON\nganglion: line 3 is not a JSON object\nganglion: line 4 is not a JSON object\n" +
        "ganglion: 3 lines were refused; 2 signals were emitted\n",
    );
    expect(taken(edge)).toEqual([0, 1]);
  });

  it("passes over a byte-order mark at the beginning of lines", async () => {
    const edge = await pickyEdge(() => false);
    const input = numbered(2)
      .map((line) => `\ufeff${line}`)
      .join("\n");
    expect((await ganglion(["emit", "-", "--url", edge.url], { input })).code).toBe(0);
    expect(taken(edge)).toEqual([0, 1]);
  });

  it("ends at once when the edge takes nothing, and says how many were emitted", async () => {
    let requests = 0;
    const edge = await startEdge(({ body }) =>
      requests++ === 0
        ? [202, { ...appended, accepted: (body as unknown[]).length }]
        : [403, { type: "/problems/forbidden", title: "Not allowed", status: 403 }],
    );
    const { code, err } = await ganglion(["emit", "-", "--url", edge.url], { input: numbered(700).join("\n") });
    expect([code, err]).toEqual([1, "ganglion: Not allowed; 500 signals were emitted\n"]);
  });

  it("says what the edge did not like, without a stack", async () => {
    const problem = {
      type: "/problems/invalid-signal",
      title: "The signal is not valid",
      status: 422,
      detail: "/signal: bad name",
    };
    const edge = await startEdge(() => [422, problem, { "Content-Type": "application/problem+json" }]);
    const { code, err } = await ganglion(["emit", "9", "--url", edge.url]);
    expect([code, err]).toEqual([1, "ganglion: The signal is not valid: /signal: bad name\n"]);
  });

  it.each([
    [["emit"], "missing required argument"],
    [["emit", "X", "--facts", "[1]"], "Give a JSON object"],
    [["emit", "X", "--fact", "novalue"], "Give name=value"],
    [["emit", "-", "--id", "x"], "--id does not go with -"],
    [["signals", "--limit", "0"], "whole number"],
    [["signals", "--since", "lately"], '"lately" is no time. Write a time such as 10m'],
    [["signals", "--follow", "--until", "1m"], "does not go with --follow"],
    [["gaps", "--status", "closed"], "Allowed choices"],
    [["nothing"], "unknown command"],
    [["status", "--url", "ftp://x"], "is not the URL of an edge"],
    [["tokens", "create", "x", "--scope", "all"], 'unknown scope "all"'],
  ])("exits 2 for %j", async (args, message) => {
    const { code, out, err } = await ganglion(args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });
});

describe("where the edge and the token are", () => {
  it("says where nobody answers and how to start an edge", async () => {
    const { url } = await startEdge().then(async (edge) => {
      await edge.stop();
      return edge;
    });
    const { code, err } = await ganglion(["status", "--url", url]);
    expect(code).toBe(1);
    expect(err).toMatch(
      /no edge answers at http:\/\/127\.0\.0\.1:\d+ \(.+\); start one on this machine with "npm start"/,
    );
    expect(err).not.toContain("    at ");
  });

  it("reads the local edge's token by itself", async () => {
    const state = mkdtempSync(join(tmpdir(), "ganglion-"));
    writeFileSync(join(state, "token"), "local-token\n", { mode: 0o600 });
    const edge = await startEdge(() => [200, { gaps: [] }]);
    const env = { GANGLION_TOKEN: "", GANGLION_STATE_DIR: state, GANGLION_URL: edge.url };
    expect(await ganglion(["gaps"], { env })).toEqual({ code: 0, out: "", err: "no open gaps\n" });
    expect(edge.received[0]?.authorization).toBe("Bearer local-token");
    const byFile = await ganglion(["gaps", "--token-file", join(state, "token")], {
      env: { ...env, GANGLION_STATE_DIR: "" },
    });
    expect(byFile.code).toBe(0);
  });

  it("does not send the local edge's token to another machine", async () => {
    const state = mkdtempSync(join(tmpdir(), "ganglion-"));
    writeFileSync(join(state, "token"), "local-token");
    const env = { GANGLION_TOKEN: "", GANGLION_STATE_DIR: state, GANGLION_URL: "http://edge.invalid" };
    const { code, err } = await ganglion(["gaps"], { env });
    expect([code, err]).toEqual([
      2,
      "ganglion: no token for http://edge.invalid: give one with GANGLION_TOKEN or --token-file\n",
    ]);
  });

  it("never shows the token", async () => {
    const problem = { type: "/problems/unauthenticated", title: "A valid token is needed", status: 401 };
    const edge = await startEdge(() => [401, problem]);
    const refused = await ganglion(["status", "--url", edge.url]);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("the edge did not accept the token")]);
    const unsendable = await ganglion(["status", "--url", edge.url], { env: { GANGLION_TOKEN: `${TOKEN}\u0007x` } });
    expect(unsendable.code).toBe(2);
    for (const { out, err } of [refused, unsendable]) expect(out + err).not.toContain(TOKEN);
  });
});

describe("reading", () => {
  it("shows the newest signals in aligned columns, and cannot be used to steer the terminal", async () => {
    const edge = await startEdge(() => [200, { signals: [kept(12, { source: "\u001b[2Jred" }), kept(9)], next: null }]);
    const { out } = await ganglion(["signals", "--signal", "Q_*,!Q_B", "--signal", "X", "--url", edge.url]);
    expect(out.split("\n")).toEqual([
      "SEQ  TIME                      SIGNAL       SOURCE        ID     FACTS",
      '9    2026-01-01T00:00:00.000Z  OBSERVATION  s             id-9   {"n":9}',
      '12   2026-01-01T00:00:00.000Z  OBSERVATION  \\u001b[2Jred  id-12  {"n":12}',
      "",
    ]);
    const query = edge.received[0]?.url.searchParams;
    expect(query?.getAll("signal")).toEqual(["Q_*", "!Q_B", "X"]);
    expect([query?.get("order"), query?.get("limit")]).toEqual(["desc", "100"]);
  });

  it("pages through the log for as many as were asked for, one JSON document a line", async () => {
    const edge = await startEdge(({ url }) => {
      const after = Number(url.searchParams.get("after"));
      const limit = Number(url.searchParams.get("limit"));
      return [200, { signals: Array.from({ length: limit }, (_, n) => kept(after + n + 1)), next: after + limit }];
    });
    const { out } = await ganglion(["signals", "--after", "0", "--limit", "1500", "--json", "--url", edge.url]);
    const seqs = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).seq);
    expect(seqs).toEqual(Array.from({ length: 1500 }, (_, n) => n + 1));
    expect(edge.received.map(({ url }) => url.searchParams.get("limit"))).toEqual(["1000", "500"]);
  });

  it("makes a token, lists tokens and deletes one", async () => {
    const record = {
      id: "i",
      name: "n",
      scopes: ["signals:read"],
      ecosystems: ["*"],
      expires_at: null,
      created_at: "c",
    };
    const edge = await startEdge(({ method }) => {
      if (method === "POST") return [201, { ...record, token: "gng_i_s" }];
      return method === "GET" ? [200, { tokens: [record] }] : [204, undefined];
    });
    const url = ["--url", edge.url];
    const created = await ganglion([
      "tokens",
      "create",
      "n",
      "--scope",
      "signals:read",
      "--for",
      "a,b",
      "--expires",
      "2030-01-01T00:00:00Z",
      ...url,
    ]);
    expect(created.out).toMatch(/^token {7}gng_i_s\n/);
    expect(edge.received[0]?.body).toEqual({
      name: "n",
      scopes: ["signals:read"],
      ecosystems: ["a", "b"],
      expires_at: "2030-01-01T00:00:00.000Z",
    });
    expect((await ganglion(["tokens", "list", "--json", ...url])).out).toBe(`${JSON.stringify(record)}\n`);
    expect((await ganglion(["tokens", "delete", "i", ...url])).code).toBe(0);
    expect(edge.received.at(-1)).toMatchObject({ method: "DELETE" });
  });

  it("binds a token to hosts, sources and recipients, and shows to which", async () => {
    const bound = { hosts: ["gpu-01"], sources: ["gpu-*", "bus"], recipients: ["coder"] };
    const record = { id: "i", name: "n", scopes: ["tasks:work"], ecosystems: ["*"], expires_at: null, created_at: "c" };
    const edge = await startEdge(({ method }) =>
      method === "POST"
        ? [201, { ...record, ...bound, token: "t" }]
        : [200, { tokens: [{ ...record, ...bound }, record] }],
    );
    const url = ["--url", edge.url];
    const options = ["--host", "gpu-01", "--source", "gpu-*", "--source", "bus", "--recipient", "coder"];
    const created = await ganglion(["tokens", "create", "n", "--scope", "tasks:work", ...options, ...url]);
    expect(edge.received[0]?.body).toMatchObject(bound);
    expect(created.out).toContain("hosts=gpu-01 sources=gpu-*,bus recipients=coder");
    const listed = (await ganglion(["tokens", "list", ...url])).out.split("\n");
    expect(listed[1]).toContain("hosts=gpu-01 sources=gpu-*,bus recipients=coder");
    expect(listed[2]).not.toContain("=");
  });

  it("takes the length of time of --expires as one from now, and refuses a time that has passed", async () => {
    const record = { id: "i", name: "n", scopes: ["admin"], ecosystems: ["*"], expires_at: null, created_at: "c" };
    const edge = await startEdge(() => [201, { ...record, token: "t" }]);
    const create = (expires: string) =>
      ganglion(["tokens", "create", "n", "--scope", "admin", "--expires", expires, "--url", edge.url]);
    const beforeMs = Date.now();
    expect((await create("7d")).code).toBe(0);
    const expires_at = String((edge.received[0]?.body as { expires_at?: string } | undefined)?.expires_at);
    expect(Date.parse(expires_at) - beforeMs - 7 * 86_400_000).toBeGreaterThanOrEqual(0);
    expect(Date.parse(expires_at)).toBeLessThanOrEqual(Date.now() + 7 * 86_400_000);
    const past = await create("2020-01-01T00:00:00Z");
    expect(past.code).not.toBe(0);
    expect(past.err).toContain("2020-01-01T00:00:00.000Z has passed");
    expect((await create("soon")).code).not.toBe(0);
    expect(edge.received).toHaveLength(1);
  });
});
