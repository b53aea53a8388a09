import type { Context, MiddlewareHandler, Next } from "hono";
import { matchedRoutes } from "hono/route";
import type { Caller } from "../../../core/access/grant.ts";
import { isAudited, isOfDeployment, mayBeAudited, mayChange } from "../../../core/audit/api.ts";
import { HOSTS_QUEUE } from "../../../core/hosts/command-queue.ts";
import { logLine } from "../../../durable-objects/shell/log-line.ts";
import { auditLog, DEPLOYMENT } from "../../bindings/objects.ts";
import type { ApiEnv } from "../http/api-env.ts";
import { REPLAYED } from "../http/once.ts";

/** Characters of a path in an entry: ids are short, and a longer path is none of ours. */
const MAX_TARGET_CHARS = 512;

/** By the path of a route, of which there are some hundreds. */
const operations = new Map<string, string>();

/** A route's path as the API's description writes it. */
function operationOf(template: string): string {
  const known = operations.get(template);
  if (known !== undefined) return known;
  const operation = template.replaceAll(/:(\w+)(\{[^}]*\})?/g, "{$1}");
  operations.set(template, operation);
  return operation;
}

/**
 * Records who changed what, before the answer goes out. A call that was not authorised changes nothing, and has nobody's name.
 * Where the entry cannot be kept the call has its effect and its answer all the same, and the edge's log says so.
 */
export const recordWrites: MiddlewareHandler<ApiEnv> = (c, next) =>
  mayChange(c.req.method) ? recorded(c, next) : next();

async function recorded(c: Context<ApiEnv>, next: Next): Promise<void> {
  await next();
  const { method, path } = c.req;
  const { status } = c.res;
  if (!mayBeAudited(method, status)) return;
  // A call that was refused before its token was known has no grant.
  const grant: Caller | undefined = c.get("grant");
  if (grant === undefined) return;
  const route = matchedRoutes(c).findLast(({ path }) => !path.includes("*"));
  if (route === undefined) return;
  const operation = operationOf(route.path);
  const { id: by_id, name: by, session } = grant;
  const kind = { commands: c.req.param("q") === HOSTS_QUEUE, bySession: session !== undefined };
  // An answer that was given before changed nothing.
  if (!isAudited(method, operation, status, kind) || c.res.headers.has(REPLAYED)) return;
  const place = isOfDeployment(method, operation) ? DEPLOYMENT : (c.req.param("eco") ?? DEPLOYMENT);
  const target = path.slice(0, MAX_TARGET_CHARS);
  const entry = { by, by_id, session: session?.id ?? null, method, operation, target, status };
  try {
    await auditLog(c.env, place).record(entry);
  } catch (error) {
    logLine("error", "audit-not-kept", { ...entry, error });
  }
}
