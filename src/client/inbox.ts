import { InboxSource, type InboxSourceInput, InboxSources, InboxSourceWithSecret } from "../core/inbox/source.ts";
import { NoAnswer } from "./answers/no-answer.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

export function inboxCalls({ call, inside }: Calls) {
  const at = (name: string) => inside(`/inbox/${encodeURIComponent(name)}`);
  return {
    list: async () => (await call(InboxSources, { path: inside("/inbox") })).sources,
    get: (name: string) => call(InboxSource, { path: at(name) }),
    /** The answer holds a generated secret; it is not shown again. */
    put: (name: string, source: InboxSourceInput) =>
      call(InboxSourceWithSecret, { method: "PUT", path: at(name), body: source }),
    remove: (name: string) => call(NoAnswer, { method: "DELETE", path: at(name) }),
  };
}
