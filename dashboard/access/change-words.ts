import type { AuditEntry } from "../../src/core/audit/api.ts";

const VERBS: Readonly<Record<string, string>> = { PUT: "put", PATCH: "changed", DELETE: "deleted", POST: "added" };
/** Last words of a path that say what was done. */
const DOING: Readonly<Record<string, string>> = {
  replay: "replayed",
  discard: "discarded",
  cancel: "cancelled",
  retry: "retried",
  test: "tested",
  run: "ran",
  rollback: "rolled back",
  secret: "changed the secret of",
  import: "imported",
  calls: "commanded",
};

/** What a call did, in a few words: `changed policies disk-full`. */
export function changeWords({
  method,
  operation,
  target,
}: Pick<AuditEntry, "method" | "operation" | "target">): string {
  const words = operation.split("/").slice(1);
  const values = target.split("/").slice(1);
  const last = words.at(-1) ?? "";
  const doing = DOING[last];
  // `/v1/{eco}` stands before the rest, and is said elsewhere.
  const rest = values.slice(words[1] === "{eco}" ? 2 : 1, doing === undefined ? undefined : -1).map(decodeURIComponent);
  return [doing ?? VERBS[method] ?? method.toLowerCase(), ...rest].join(" ");
}
