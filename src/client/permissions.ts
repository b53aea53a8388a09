import { Asked, Question } from "../core/questions/api.ts";
import type { Behavior, PermissionDecision, PermissionInput } from "../core/questions/permission.ts";
import type { CallEdge } from "./http/request.ts";
import { uuid7 } from "./http/uuid7.ts";

interface Calls {
  readonly call: CallEdge;
  readonly withRetries: <Answer>(attempt: () => Promise<Answer>) => Promise<Answer>;
  readonly inside: (path: string) => string;
}

/** Calls about permissions to use tools. They are questions: `client.questions` lists, shows, waits and takes back. */
export function permissionCalls({ call, withRetries, inside }: Calls) {
  return {
    /** Asks. Without an `id` the client chooses one, so that a request that is sent again asks once. */
    ask: (request: PermissionInput): Promise<Asked> => {
      const body = { ...request, id: request.id ?? `perm-${uuid7()}` };
      return withRetries(() => call(Asked, { method: "POST", path: inside("/permissions"), body }));
    },
    /** Allows or denies, once. @param key - the same for a request that is sent again; default a new one */
    answer: (id: string, behavior: Behavior, { comment, key = uuid7() }: { comment?: string; key?: string } = {}) => {
      const body: PermissionDecision = comment === undefined ? { behavior } : { behavior, comment };
      const path = inside(`/permissions/${encodeURIComponent(id)}/answer`);
      return withRetries(() => call(Question, { method: "POST", path, body, headers: { "Idempotency-Key": key } }));
    },
  };
}
