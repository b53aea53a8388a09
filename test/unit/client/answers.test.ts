import { describe, expect, it } from "vitest";
import * as z from "zod";
import { createClient } from "../../../src/client/client.ts";
import { loosened } from "../../../src/client/http/loosened.ts";
import { ApiProblem } from "../../../src/client/http/problem-errors.ts";

const AT = "2026-01-31T12:00:00.000Z";
const host = {
  host: "gpu-01",
  state: "up",
  since: AT,
  reason: "linked",
  last_seen: AT,
  links: 1,
  version: null,
  runs: null,
  alerts: [{ subject: "disk:/var", since: AT, value: 96, limit: 90 }],
  failing: {},
  facts: null,
};

/** A client of an edge that gives one answer to every call. */
function clientAnswered(body: unknown, status = 200) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return createClient({
    url: "https://edge.test",
    token: "a-token",
    retry: { retries: 0 },
    fetch: async () => new Response(status === 204 ? null : text, { status }),
  });
}

describe("an answer of the edge", () => {
  it("keeps the fields of a newer edge, at every depth", async () => {
    const newer = { ...host, colour: "green", alerts: [{ ...host.alerts[0], level: { now: 3 } }] };
    expect(await clientAnswered({ agents: [newer], total: 1 }).agents.list()).toEqual([newer]);
  });

  it("keeps the fields of a newer edge where the schema of an older one refuses unknown fields", async () => {
    const rule = { id: "a", when: ["A"], then: [{ emit: { signal: "B", facts: {}, later: 1 } }], version: 1 };
    const policy = { ...rule, built_in: false, modified: false, changed_at: AT, changed_by: null, tags: ["x"] };
    expect(await clientAnswered(policy).policy.enable("a", true)).toMatchObject(policy);
  });

  it("keeps a value of a newer edge that is none of those that the schema lists", async () => {
    const paused = { ...host, state: "paused", reason: "asked" };
    expect(await clientAnswered({ agents: [paused] }).agents.list()).toEqual([paused]);
    const token = {
      id: "t",
      name: "n",
      scopes: ["read", "audit"],
      ecosystems: ["*"],
      expires_at: null,
      created_at: AT,
    };
    expect(await clientAnswered({ tokens: [token] }).tokens.list()).toEqual([token]);
  });

  it("keeps what a token is bound to", async () => {
    const token = { id: "t", name: "n", scopes: ["work"], ecosystems: ["*"], expires_at: null, created_at: AT };
    const bound = { ...token, hosts: ["gpu-*"], sources: ["bus"], recipients: [] };
    expect(await clientAnswered({ tokens: [bound, token] }).tokens.list()).toEqual([bound, token]);
  });

  it("of an older edge about an ecosystem's status is read without what that edge does not count, and without the rules", async () => {
    const log = { head_seq: 1, oldest_seq: 1, signals_last_minute: 0, subscribers: 0, hosts: [] };
    const window = { seconds: 300, size: 0, oldest: null, newest: null };
    const status = { ecosystem: "default", log, window, gaps: { open: 0 }, dead_letters: 0 };
    expect(await clientAnswered(status).status()).toEqual({
      ...status,
      log: {
        ...log,
        unknown_frames: 0,
        bytes_in_flight: 0,
        database_bytes: 0,
        heap: [],
        limit_bytes: 0,
        dropped_for_size: 0,
      },
    });
  });

  it("about an ecosystem's status keeps the overview of the rules", async () => {
    const log = {
      head_seq: 1,
      oldest_seq: 1,
      signals_last_minute: 0,
      subscribers: 0,
      hosts: [],
      unknown_frames: 2,
      bytes_in_flight: 7,
      database_bytes: 4_096,
      heap: [{ kind: "ids", used_bytes: 1, limit_bytes: 2, refused: 0 }],
      limit_bytes: 8e9,
      dropped_for_size: 0,
    };
    const window = { seconds: 300, size: 0, oldest: null, newest: null };
    const policies = { rules: 3, quarantined: ["a"] };
    const status = { ecosystem: "default", log, window, gaps: { open: 0 }, policies, dead_letters: 0 };
    expect(await clientAnswered(status).status()).toEqual(status);
  });

  it("that lacks a field is an error that names the call, the field and what to do", async () => {
    const { last_seen: _, ...older } = host;
    await expect(clientAnswered({ agents: [host, older] }).agents.list()).rejects.toThrow(
      "the answer of https://edge.test to GET /v1/default/agents has another shape than this client expects: " +
        "/agents/1/last_seen: Invalid input: expected string, received undefined; use the client of the version that the " +
        "edge runs, or check that the URL is that of the edge",
    );
  });

  it("that has a value of another kind is an error that does not show the value", async () => {
    const wrong = clientAnswered({ agents: [{ ...host, links: "s3cret", alerts: "s3cret" }] }).agents.list();
    await expect(wrong).rejects.toThrow("/agents/0/links: ");
    await expect(wrong).rejects.toThrow("(and 1 more)");
    await expect(wrong).rejects.not.toThrow("s3cret");
  });

  it("that is empty where one is expected is an error", async () => {
    await expect(clientAnswered("").status()).rejects.toThrow("GET /v1/default/status has another shape");
  });

  it("that is no JSON is an error that says so", async () => {
    await expect(clientAnswered("<html>").status()).rejects.toThrow("https://edge.test is not Ganglion");
  });

  it("to a deletion may be empty, or have a body, which is ignored", async () => {
    expect(await clientAnswered(undefined, 204).tokens.delete("t")).toBeUndefined();
    expect(await clientAnswered({ deleted: 1 }).tokens.delete("t")).toBeUndefined();
    expect(await clientAnswered(undefined, 204).agents.release("gpu-01")).toBeUndefined();
  });

  it("to an earlier call is its reply or its state", async () => {
    const reply = { correlation_id: "c", result: null, responder: "r", duration_ms: 5 };
    const pending = { correlation_id: "c", status: "running", place: 3 };
    expect(await clientAnswered(reply).queues.reply("q", "c")).toEqual(reply);
    expect(await clientAnswered(pending).queues.reply("q", "c")).toEqual(pending);
  });
});

describe("a refusal of the edge", () => {
  const refused = (body: unknown, status: number) =>
    clientAnswered(body, status)
      .status()
      .then(
        () => undefined,
        (error: unknown) => (error instanceof ApiProblem ? error.problem : error),
      );

  it("keeps the members of its problem", async () => {
    const problem = { type: "/problems/x", title: "No", status: 409, detail: "why", errors: [], version: 7 };
    expect(await refused(problem, 409)).toEqual(problem);
  });

  it("without a type stands for its status", async () => {
    expect(await refused({ title: "No", status: 409 }, 409)).toEqual({ type: "about:blank", title: "No", status: 409 });
  });

  it("whose details are of another form keeps its title", async () => {
    expect(await refused({ title: "No", status: 409, errors: "many", detail: 5 }, 409)).toMatchObject({ title: "No" });
  });

  it("in the form of a proxy's page becomes a problem of its status", async () => {
    expect(await refused("<html>", 502)).toMatchObject({ title: "The edge answered 502", status: 502 });
  });
});

describe("a loosened schema", () => {
  const Leaf = z.strictObject({ n: z.number() });
  const leaf = { n: 1, extra: true };

  it.each<[string, z.ZodType, unknown]>([
    ["an object", Leaf, leaf],
    ["a list", z.array(Leaf), [leaf]],
    ["a record", z.record(z.string(), Leaf), { a: leaf }],
    ["a tuple", z.tuple([Leaf], Leaf), [leaf, leaf]],
    ["a union", z.union([z.string(), Leaf]), leaf],
    ["a discriminated union", z.discriminatedUnion("k", [z.strictObject({ k: z.literal("a") })]), { k: "a", extra: 1 }],
    ["an intersection", z.intersection(z.object({ n: z.number() }), z.object({ m: z.number() })), { n: 1, m: 2, o: 3 }],
    ["what is optional", z.object({ a: Leaf.optional(), b: Leaf.exactOptional() }), { a: leaf, b: leaf }],
    ["what may be null", Leaf.nullable(), leaf],
    ["what is read-only", Leaf.readonly(), leaf],
    ["what has a default", Leaf.default({ n: 0 }), leaf],
    ["what is prefilled", Leaf.prefault({ n: 0 }), leaf],
    ["what is caught", Leaf.catch({ n: 0 }), leaf],
    ["what is piped", Leaf.pipe(z.looseObject({ n: z.number() })), leaf],
    [
      "a union whose kinds a text tells apart",
      z.discriminatedUnion("k", [z.object({ k: z.literal("a"), e: z.enum(["b"]) })]),
      { k: "a", e: "c", extra: 1 },
    ],
    ["what is read later", z.lazy(() => Leaf), leaf],
    ["what is refined", Leaf.refine(({ n }) => n > 0), leaf],
  ])("keeps unknown fields in %s", (_, schema, value) => {
    expect(loosened(schema).parse(value)).toEqual(value);
  });

  it("is as strict as before about the fields that it names, and fills in defaults", () => {
    const schema = loosened(z.strictObject({ n: z.number().default(5), text: z.string().max(3) }));
    expect(schema.parse({ text: "abc" })).toEqual({ n: 5, text: "abc" });
    expect(schema.safeParse({ text: "abcd" }).success).toBe(false);
    expect(loosened(Leaf.refine(({ n }) => n > 1)).safeParse(leaf).success).toBe(false);
  });

  it("leaves the schema itself as it was, and is made once", () => {
    expect(loosened(Leaf)).toBe(loosened(Leaf));
    expect(Leaf.safeParse(leaf).success).toBe(false);
  });
});
