import { createRoute, z } from "@hono/zod-openapi";
import { Ready } from "../../../core/deployment/api.ts";
import { readPlacement, SettingError } from "../../../core/deployment/placement.ts";
import { readMetrics, readProfile } from "../../../core/deployment/profile.ts";
import { PROBLEM_TYPE, problem } from "../../../core/problem/problem.ts";
import type { DamagedStore } from "../../../durable-objects/access/damaged-stores.ts";
import { logLine } from "../../../durable-objects/shell/log-line.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory, signalLog } from "../../bindings/objects.ts";
import { diskTrouble } from "../http/disk-trouble.ts";
import { ProblemSchema } from "../http/problem-schema.ts";
import { Refusal } from "../http/refusal.ts";
import { json, newApi } from "../http/route.ts";

const FOREIGN = {
  description: "The request names a host that the edge on one machine does not answer to",
  content: { [PROBLEM_TYPE]: { schema: ProblemSchema } },
};

/** The route needs no token, so the answer is cached: requests in a loop must not cost an object call each. */
const ANSWER_FOR_MS = 2_000;

const healthz = createRoute({
  method: "get",
  path: "/healthz",
  operationId: "isAlive",
  summary: "Whether the Worker runs",
  tags: ["operation"],
  security: [],
  responses: { 200: json(z.object({ status: z.literal("alive") }), "The Worker runs"), 421: FOREIGN },
});

const readyz = createRoute({
  method: "get",
  path: "/readyz",
  operationId: "isReady",
  summary: "Whether the Worker can serve calls",
  tags: ["operation"],
  security: [],
  responses: {
    200: json(Ready, "The Worker can serve calls"),
    421: FOREIGN,
    503: {
      description: "The Worker cannot serve calls; `detail` has the reason",
      content: { [PROBLEM_TYPE]: { schema: ProblemSchema } },
    },
  },
});

/** What the directory says: `undefined`, it does not answer. */
let last: { readonly damaged: readonly DamagedStore[] | undefined; readonly untilMs: number } | undefined;

export const health = newApi()
  .openapi(healthz, (c) => c.json({ status: "alive" as const }, 200))
  .openapi(readyz, async (c) => {
    const fault = await findFault(c.env, Date.now());
    if (fault !== undefined) {
      throw new Refusal(problem("not-ready", 503, "Ganglion is not ready", fault), { "Retry-After": "5" });
    }
    return c.json({ status: "ready" as const }, 200);
  });

async function findFault(env: Environment, nowMs: number): Promise<string | undefined> {
  if (env.ADMIN_TOKEN === undefined || env.ADMIN_TOKEN === "") {
    return "The secret ADMIN_TOKEN is not set, so every call is refused: set it with `wrangler secret put ADMIN_TOKEN`.";
  }
  const ofDisk = diskTrouble(nowMs);
  if (ofDisk !== undefined) return ofDisk;
  const wrong = settingFault(env);
  if (wrong !== undefined) return wrong;
  if (last === undefined || last.untilMs <= nowMs) {
    last = { damaged: await damagedStores(env), untilMs: nowMs + ANSWER_FOR_MS };
  }
  const { damaged } = last;
  if (damaged === undefined)
    return "The Durable Object `Directory`, which checks tokens, does not answer: see the Worker's log for the error.";
  if (damaged.length === 0) return undefined;
  const named = damaged.map(({ object, name }) => `${object} of ${name}`).join(", ");
  return (
    `What these objects have stored is damaged, and what cannot be read is left out: ${named}. Restore them, or see the ` +
    "status of the ecosystem (log.damaged) and the Worker's log."
  );
}

function settingFault(env: Environment): string | undefined {
  try {
    readPlacement(env);
    readProfile(env);
    readMetrics(env);
    return undefined;
  } catch (error) {
    if (error instanceof SettingError) return error.message;
    throw error;
  }
}

async function damagedStores(env: Environment): Promise<readonly DamagedStore[] | undefined> {
  try {
    const reported = await directory(env).damagedStores();
    return (await Promise.all(reported.map((store) => isDamaged(env, store)))).flat();
  } catch (error) {
    logLine("error", "directory-not-answering", { object: "directory", error });
    return undefined;
  }
}

/** A log says whether it is damaged still: its retention may have dropped what could not be read. Of others the reports end. */
async function isDamaged(env: Environment, store: DamagedStore): Promise<DamagedStore[]> {
  if (store.object !== "SignalLog") return [store];
  const log = await signalLog(env, store.name)
    .status()
    .catch(() => undefined);
  if (log === undefined || log.damaged !== undefined) return [store];
  await directory(env).forgetDamage(store);
  return [];
}
