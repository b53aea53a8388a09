import { type BridgeInput, Bridges, BridgeView } from "../core/federation/bridge.ts";
import { NoAnswer } from "./answers/no-answer.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** Calls about bridges to other ecosystems. */
export function bridgeCalls({ call, inside }: Calls) {
  const at = (name: string) => inside(`/bridges/${encodeURIComponent(name)}`);
  return {
    list: async () => (await call(Bridges, { path: inside("/bridges") })).bridges,
    put: (name: string, bridge: Partial<BridgeInput>) =>
      call(BridgeView, { method: "PUT", path: at(name), body: bridge }),
    remove: (name: string) => call(NoAnswer, { method: "DELETE", path: at(name) }),
  };
}
