import { Attention, AttentionPage } from "../core/attention/api.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** Calls about what needs somebody. */
export function attentionCalls({ call, inside }: Calls) {
  return {
    here: () => call(Attention, { path: inside("/attention") }),
    /** A page of all ecosystems that the token may see. @param after - `next` of the page before */
    everywhere: (after?: string) =>
      call(AttentionPage, { path: "/v1/attention", query: after === undefined ? {} : { after } }),
  };
}
