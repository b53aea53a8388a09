import type { Context } from "hono";
import type { Actor } from "../../../core/questions/state.ts";
import type { ApiEnv } from "../http/api-env.ts";

/** Who calls: a token by its name, and the session of a browser that was begun with it. */
export function actorOf(c: Context<ApiEnv>): Actor {
  const { name, id, session } = c.get("grant");
  return session === undefined ? { name, id, way: "token" } : { name, id: session.id, way: "session" };
}
