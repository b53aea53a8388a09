import { describe, expect, it } from "vitest";
import { isBoundTo } from "../../../src/core/access/bindings.ts";
import type { Scope } from "../../../src/core/access/scopes.ts";
import { WorkerFrame } from "../../../src/core/queue/work-frames.ts";
import { openApiDocument } from "../../../src/workers/app.ts";
import { ADMIN, call, freshEcosystem } from "../api/calls.ts";
import { aTask, openChannel, queueOver } from "../queue/queue-under-test.ts";
import { PRINCIPALS, type Principal, principals } from "./principals.ts";
import { makeToken } from "./tokens-under-test.ts";

/** Host, recipient and source of every request, to which the bound principals are not bound. */
const NAME = "gpu-01";

/** Routes that need no token. */
const OPEN: readonly string[] = ["GET /healthz", "GET /readyz"];

interface Route {
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly scopes: readonly Scope[];
  readonly inEcosystem: boolean;
  /** About all ecosystems that the token may see. */
  readonly anywhere: boolean;
  /** The queue `hosts`, whose tasks are commands. */
  readonly commands: boolean;
}

/** Bodies that are valid, where a binding is looked at after the body. Any other body is empty. */
const BODIES: Readonly<Record<string, object>> = {
  "POST /v1/{eco}/signals": { signal: "X", source: NAME, facts: {} },
  "POST /v1/{eco}/queues/{q}/tasks": aTask({ recipient: NAME }),
  "POST /v1/{eco}/queues/{q}/calls": {
    recipient: NAME,
    type: "ASK",
    payload: 1,
    timeout_ms: 1,
    require_responder: true,
  },
  "POST /v1/{eco}/queues/{q}/lease": { recipient: NAME },
};

/** What a binding refuses, beyond scopes: whether a principal may do what a route does in the name of {@link NAME}. */
const BOUND: Readonly<Record<string, (who: Principal, route: Route) => boolean>> = {
  "POST /v1/{eco}/signals": ({ sources }) => isBoundTo(sources, NAME),
  "POST /v1/{eco}/queues/{q}/tasks": ({ hosts }, { commands }) => !commands || isBoundTo(hosts, NAME),
  "POST /v1/{eco}/queues/{q}/calls": ({ hosts }, { commands }) => !commands || isBoundTo(hosts, NAME),
  "POST /v1/{eco}/queues/{q}/lease": ({ hosts, recipients, scopes }, { commands }) => {
    if (!commands) return isBoundTo(recipients, NAME);
    if (hosts !== undefined) return isBoundTo(hosts, NAME);
    const agent = scopes?.includes("signals:read") === true && scopes.includes("signals:write");
    return (agent || scopes?.includes("admin") === true) && isBoundTo(recipients, NAME);
  },
};

interface Operation {
  readonly "x-scopes"?: Scope[];
  readonly "x-scopes-for-commands"?: Scope[];
  readonly "x-anywhere"?: boolean;
}

/** A row for each route of the document, and for each queue that it treats differently. */
function routes(): Route[] {
  return Object.entries(openApiDocument().paths ?? {}).flatMap(([path, operations]) =>
    Object.entries(operations as Record<string, Operation>).flatMap(([verb, operation]) => {
      const method = verb.toUpperCase();
      const key = `${method} ${path}`;
      const scopes = operation["x-scopes"] ?? [];
      const anywhere = operation["x-anywhere"] === true;
      const route = { key, method, path, inEcosystem: path.includes("{eco}"), anywhere };
      if (!path.includes("{q}")) return [{ ...route, scopes, commands: false }];
      const forCommands = operation["x-scopes-for-commands"] ?? scopes;
      return [
        { ...route, scopes, commands: false },
        { ...route, scopes: forCommands, commands: true },
      ];
    }),
  );
}

type Expected = 401 | 403 | "passes";

function expected(who: Principal, route: Route): Expected {
  if (route.scopes.length === 0) return "passes";
  if (who.scopes === null) return 401;
  const has = (scope: Scope) => who.scopes?.includes(scope) === true || who.scopes?.includes("admin") === true;
  if (!route.scopes.every(has)) return 403;
  if (route.anywhere) return "passes";
  if (who.ecosystems !== "all" && !(route.inEcosystem && who.ecosystems === "this")) return 403;
  return BOUND[route.key]?.(who, route) === false ? 403 : "passes";
}

async function ask(
  who: Principal,
  { key, method, path, commands }: Route,
  ecosystem: string,
): Promise<Expected | string> {
  const filled = path
    .replace("{eco}", ecosystem)
    .replace("{q}", commands ? "hosts" : "work")
    .replaceAll(/\{\w+\}/g, "nothing");
  const headers = new Headers();
  if (who.authorization !== null) headers.set("Authorization", who.authorization);
  const hasBody = method !== "GET" && method !== "DELETE";
  if (hasBody) headers.set("Content-Type", "application/json");
  const body = hasBody ? JSON.stringify(BODIES[key] ?? {}) : null;
  const answer = await call(filled, { method, headers, body, token: null });
  await answer.body?.cancel();
  const { status } = answer;
  if (status === 401 || status === 403) return status;
  // 502 to 504 are answers of calls that nobody takes.
  return status === 500 ? `${status}` : "passes";
}

describe("the matrix of tokens and routes", () => {
  const rows = routes();
  it(`has ${PRINCIPALS} principals, and a row for each route, with its scopes, unless the route is open to everybody`, async () => {
    expect(await principals(freshEcosystem())).toHaveLength(PRINCIPALS);
    const unsecured = routes().filter(({ scopes }) => scopes.length === 0);
    expect(unsecured.map(({ key }) => key)).toEqual(OPEN);
    const keys = new Set(routes().map(({ key }) => key));
    expect([...Object.keys(BODIES), ...Object.keys(BOUND)].filter((key) => !keys.has(key))).toEqual([]);
  });

  const counts = `${rows.length} routes, ${rows.length * PRINCIPALS} combinations`;
  it(`allows each principal what its scopes, its ecosystems and its bindings say, and nothing else: ${counts}`, async () => {
    const ecosystem = freshEcosystem();
    const all = await principals(ecosystem);
    const mismatches: string[] = [];
    for (const route of rows) {
      const queue = route.commands ? " (hosts)" : "";
      const answers = await Promise.all(all.map((who) => ask(who, route, ecosystem)));
      all.forEach((who, place) => {
        const should = expected(who, route);
        if (answers[place] !== should)
          mismatches.push(`${route.key}${queue} by ${who.name}: ${answers[place]} instead of ${should}`);
      });
    }
    expect(mismatches).toEqual([]);
  });
});

/** The scope beside `tasks:work` that a frame of the worker's channel needs; in the queue `hosts` the second one. */
const FRAME_SCOPES: Readonly<Record<string, readonly [Scope, Scope] | null>> = {
  ready: null,
  complete: null,
  fail: null,
  extend: null,
  release: null,
  enqueue: ["tasks:write", "hosts:command"],
  call: ["tasks:write", "hosts:command"],
  cancel: ["tasks:write", "hosts:command"],
};

const held = [{ task_id: "nothing", lease_id: "0" }];
const FRAMES: Readonly<Record<string, object>> = {
  ready: { type: "ready", recipient: NAME, credit: 0 },
  complete: { type: "complete", tasks: held },
  fail: { type: "fail", tasks: [{ ...held[0], error: "no" }] },
  extend: { type: "extend", tasks: [{ ...held[0], lease_ms: 1_000 }] },
  release: { type: "release", tasks: held },
  enqueue: { type: "enqueue", batch: 1, tasks: [aTask({ recipient: NAME })] },
  call: {
    type: "call",
    correlation_id: "c",
    recipient: NAME,
    task_type: "ASK",
    payload: 1,
    timeout_ms: 60_000,
    require_responder: true,
  },
  cancel: { type: "cancel", correlation_id: "nothing" },
};

describe("the matrix of tokens and frames of the worker's channel", () => {
  it("has a row for each frame", () => {
    const types = WorkerFrame.options.map(({ shape }) => shape.type.value).sort();
    expect([Object.keys(FRAME_SCOPES).sort(), Object.keys(FRAMES).sort()]).toEqual([types, types]);
  });

  const queues = [
    ["work", 0],
    ["hosts", 1],
  ] as const;
  const rows = Object.entries(FRAME_SCOPES).flatMap(([type, needs]) =>
    queues.map(([queue, place]) => [type, queue, needs?.[place]] as const),
  );
  it.each(rows)("lets %s frames of the queue %s pass with %s, and refuses them without", async (type, queue, needs) => {
    const ecosystem = freshEcosystem();
    await queueOver(ecosystem, queue).put(aTask({ recipient: "somebody" }));
    const agent: readonly Scope[] = ["tasks:work", "signals:read", "signals:write"];
    const both: readonly Scope[] = ["tasks:write", "hosts:command"];
    const refused = async (scopes: readonly Scope[]) => {
      const { token } = await makeToken(ecosystem, scopes);
      const channel = await openChannel(ecosystem, NAME, queue, token);
      channel.send(FRAMES[type] ?? {});
      // A frame that is not known is refused, after the answer to the frame before, if there is one.
      channel.send({ type: "no such frame" });
      await expect.poll(() => channel.messages.flat().some(({ problem }) => problem?.status === 422)).toBe(true);
      return channel.messages.flat().some(({ problem }) => problem?.status === 403);
    };
    expect(await refused([...agent, ...both.filter((scope) => scope !== needs)])).toBe(needs !== undefined);
    expect(await refused(needs === undefined ? agent : [...agent, needs])).toBe(false);
  });

  it("is open to no token without tasks:work", async () => {
    const ecosystem = freshEcosystem();
    const { token } = await makeToken(ecosystem, ["tasks:write", "tasks:read", "hosts:command", "policy:write"]);
    await expect(openChannel(ecosystem, NAME, "work", token)).rejects.toThrow("403");
    await expect(openChannel(ecosystem, NAME, "work", ADMIN)).resolves.toBeDefined();
  });
});
