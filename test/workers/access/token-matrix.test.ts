import { describe, expect, it } from "vitest";
import { isBoundTo } from "../../../src/core/access/bindings.ts";
import type { Scope } from "../../../src/core/access/scopes.ts";
import { WorkerFrame } from "../../../src/core/queue/work-frames.ts";
import { ADMIN, call, freshEcosystem } from "../api/calls.ts";
import { aTask, openChannel, queueOver } from "../queue/queue-under-test.ts";
import { FRAME_SCOPES, FRAMES, NAME } from "./channel-rows.ts";
import { PRINCIPALS, type Principal, principals } from "./principals.ts";
import { askRoute, BEGIN, BODIES, INBOX, type Route, routes } from "./routes-under-test.ts";
import { makeToken } from "./tokens-under-test.ts";

/** Routes that need no token. */
const OPEN: readonly string[] = ["GET /healthz", "GET /readyz", BEGIN, INBOX];

/** What a binding refuses, beyond scopes: whether a principal may do what a route does in the name of {@link NAME}. */
const BOUND: Readonly<Record<string, (who: Principal, route: Route) => boolean>> = {
  "POST /v1/{eco}/signals": ({ sources }) => isBoundTo(sources, NAME),
  "POST /v1/{eco}/otlp/v1/logs": ({ sources }) => isBoundTo(sources, NAME),
  "POST /v1/{eco}/otlp/v1/metrics": ({ sources }) => isBoundTo(sources, NAME),
  "POST /v1/{eco}/otlp/v1/traces": ({ sources }) => isBoundTo(sources, NAME),
  // A token that is bound to one source sends in its name.
  "POST /v1/{eco}/hooks/claude-code": ({ sources = ["*"] }) =>
    isBoundTo(sources, "claude-code") || (sources.length === 1 && !sources[0]?.endsWith("*")),
  "POST /v1/{eco}/queues/{q}/tasks": ({ hosts }, { commands }) => !commands || isBoundTo(hosts, NAME),
  "POST /v1/{eco}/queues/{q}/calls": ({ hosts }, { commands }) => !commands || isBoundTo(hosts, NAME),
  "POST /v1/{eco}/mail": ({ recipients }) => isBoundTo(recipients, NAME),
  // The matrix names every recipient `nothing`.
  "GET /v1/{eco}/mailboxes/{recipient}": ({ recipients }) => isBoundTo(recipients, "nothing"),
  "POST /v1/{eco}/mailboxes/{recipient}/receive": ({ recipients }) => isBoundTo(recipients, "nothing"),
  "POST /v1/{eco}/schedules/{name}/runs": ({ sources }) => isBoundTo(sources, "nothing"),
  "GET /v1/{eco}/schedules/{name}/heartbeat": ({ sources }) => isBoundTo(sources, "nothing"),
  "POST /v1/{eco}/schedules/{name}/heartbeat": ({ sources }) => isBoundTo(sources, "nothing"),
  "POST /v1/{eco}/queues/{q}/lease": ({ hosts, recipients, scopes }, { commands }) => {
    if (!commands) return isBoundTo(recipients, NAME);
    if (hosts !== undefined) return isBoundTo(hosts, NAME);
    const agent = scopes?.includes("signals:read") === true && scopes.includes("signals:write");
    return (agent || scopes?.includes("admin") === true) && isBoundTo(recipients, NAME);
  },
};

type Expected = 401 | 403 | "passes";

function expected(who: Principal, route: Route): Expected {
  // What no page of the edge has sent begins no session.
  if (route.key === BEGIN) return 403;
  // No token opens the inbox to a source that is not known.
  if (route.key === INBOX) return 401;
  if (route.scopes.length === 0 && !route.anyone && !route.anyScope) return "passes";
  if (who.scopes === null) return 401;
  if (route.anyone) return "passes";
  const has = (scope: Scope) => who.scopes?.includes(scope) === true || who.scopes?.includes("admin") === true;
  if (!route.scopes.every(has)) return 403;
  if (route.anywhere) return "passes";
  if (who.ecosystems !== "all" && !(route.inEcosystem && who.ecosystems === "this")) return 403;
  return BOUND[route.key]?.(who, route) === false ? 403 : "passes";
}

async function ask(who: Principal, route: Route, ecosystem: string): Promise<Expected | string> {
  const status = await askRoute(
    route,
    ecosystem,
    who.authorization === null ? {} : { Authorization: who.authorization },
  );
  if (status === 401 || status === 403) return status;
  // 502 to 504 are answers of calls that nobody takes.
  return status === 500 ? `${status}` : "passes";
}

describe("the matrix of tokens and routes", () => {
  const rows = routes();
  it(`has ${PRINCIPALS} principals, and a row for each route, with its scopes, unless the route is open to everybody`, async () => {
    expect(await principals(freshEcosystem())).toHaveLength(PRINCIPALS);
    const unsecured = routes().filter(({ scopes, anyone, anyScope }) => scopes.length === 0 && !anyone && !anyScope);
    expect(unsecured.map(({ key }) => key).sort()).toEqual([...OPEN].sort());
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

/** Sends every frame over one channel. @returns what became of each; the status where the channel does not open */
async function outcomesOver(ecosystem: string, queue: string, { authorization }: Principal) {
  const headers = new Headers({ Upgrade: "websocket", "Sec-WebSocket-Protocol": "ganglion.work.v1" });
  if (authorization !== null) headers.set("Authorization", authorization);
  const answer = await call(`/v1/${ecosystem}/queues/${queue}/work?worker=w`, { headers, token: null });
  const { webSocket: socket, status } = answer;
  if (socket === null) return status;
  socket.accept();
  const outcomes = new Map<string, Expected>();
  for (const [type, frame] of Object.entries(FRAMES)) {
    const taskId = `${queue}-${++tasksMade}`;
    const made = type === "enqueue" ? { ...frame, tasks: [aTask({ recipient: NAME, task_id: taskId })] } : frame;
    const came: { problem?: { status: number } }[] = [];
    // A frame that is not known is refused at once; tasks are answered when they are stored.
    const answers = type === "enqueue" ? 2 : 1;
    const handled = new Promise<void>((resolve) =>
      socket.addEventListener("message", ({ data }) => {
        came.push(...[JSON.parse(String(data)) as (typeof came)[number]].flat());
        if (came.length >= answers && came.some(({ problem }) => problem?.status === 422)) resolve();
      }),
    );
    socket.send(JSON.stringify(made));
    socket.send(JSON.stringify({ type: "no such frame" }));
    await handled;
    const refused = came.some(({ problem }) => problem?.status === 403);
    const there = (await call(`/v1/${ecosystem}/queues/${queue}/tasks/${taskId}`)).status === 200;
    if (type === "enqueue" && there === refused) throw new Error(`enqueue: refused ${refused}, and kept ${there}`);
    outcomes.set(type, refused ? 403 : "passes");
  }
  socket.close();
  return outcomes;
}

let tasksMade = 0;

/** What becomes of a frame that names {@link NAME}. */
function expectedOf(who: Principal, type: string, commands: boolean): Expected {
  if (who.scopes === null) return 401;
  const has = (scope: Scope) => who.scopes?.includes(scope) === true || who.scopes?.includes("admin") === true;
  const mayWrite = has(commands ? "hosts:command" : "tasks:write");
  const agent = has("signals:read") && has("signals:write");
  const works = commands && who.hosts === undefined && !agent ? [] : (commands && who.hosts) || who.recipients;
  if (!has("tasks:work") || who.ecosystems === "others" || (works?.length === 0 && !mayWrite)) return 403;
  if (type === "ready") return isBoundTo(works, NAME) ? "passes" : 403;
  if (FRAME_SCOPES[type] === null) return "passes";
  const named = type === "cancel" || !commands || isBoundTo(who.hosts, NAME);
  return mayWrite && named ? "passes" : 403;
}

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

  const types = Object.keys(FRAMES);
  const counts = `${types.length} frames, ${types.length * queues.length * PRINCIPALS} combinations`;
  it(`takes of each principal what its scopes and its bindings say, and nothing else: ${counts}`, async () => {
    const ecosystem = freshEcosystem();
    const mismatches: string[] = [];
    for (const [queue] of queues) {
      await queueOver(ecosystem, queue).put(aTask({ recipient: "somebody" }));
      for (const who of await principals(ecosystem)) {
        const outcomes = await outcomesOver(ecosystem, queue, who);
        for (const type of types) {
          const should = expectedOf(who, type, queue === "hosts");
          const outcome = typeof outcomes === "number" ? outcomes : outcomes.get(type);
          if (outcome !== should) mismatches.push(`${type} (${queue}) by ${who.name}: ${outcome} instead of ${should}`);
        }
      }
    }
    expect(mismatches).toEqual([]);
  });

  it("is open to no token without tasks:work", async () => {
    const ecosystem = freshEcosystem();
    const { token } = await makeToken(ecosystem, ["tasks:write", "tasks:read", "hosts:command", "policy:write"]);
    await expect(openChannel(ecosystem, NAME, "work", token)).rejects.toThrow("403");
    await expect(openChannel(ecosystem, NAME, "work", ADMIN)).resolves.toBeDefined();
  });
});
