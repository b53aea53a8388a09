import type { Grant } from "../../../core/access/grant.ts";
import { overQuota, quotaOf } from "../../../core/quotas/token-quotas.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory } from "../../bindings/objects.ts";
import { Refusal } from "./refusal.ts";

const MAX_KNOWN = 10_000;
/** Ecosystems that exist; one list for each isolate of the Worker. One that was deleted meanwhile may begin anew. */
const known = new Set<string>();

/**
 * Lets a call through that may begin an ecosystem by its name. A token for named ecosystems makes no more than those; one
 * for all (`*`) makes as many as its quota says.
 *
 * @throws Refusal where the token has made as many as it may; no object is made then
 */
export async function enterEcosystem(
  env: Environment,
  ecosystem: string,
  caller: Pick<Grant, "id" | "scopes" | "ecosystems">,
): Promise<void> {
  const { id, scopes, ecosystems } = caller;
  if (known.has(ecosystem) || scopes.includes("admin") || !ecosystems.includes("*")) return;
  const limit = quotaOf("ecosystems", env);
  if (!(await directory(env).admitEcosystem(ecosystem, id, limit, Date.now())))
    throw new Refusal(overQuota("ecosystems", limit));
  if (known.size >= MAX_KNOWN) known.clear();
  known.add(ecosystem);
}
