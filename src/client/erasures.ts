import { Erasure, ErasureList, ErasurePreview } from "../core/erasure/api.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** Calls that erase what a source has said. */
export function erasureCalls({ call, inside }: Calls) {
  return {
    list: async () => (await call(ErasureList, { path: inside("/erasures") })).erasures,
    show: (id: string) => call(Erasure, { path: inside(`/erasures/${encodeURIComponent(id)}`) }),
    begin: (source: string) => call(Erasure, { method: "POST", path: inside("/erasures"), body: { source } }),
    /** How many signals of the source the log holds, and when it received the first and the last of them. */
    count: async (source: string) => {
      let [signals, first, last]: [number, string | null, string | null] = [0, null, null];
      for (let after: number | null = 0; after !== null; ) {
        const body = { source, dry_run: true, after };
        const part: ErasurePreview = await call(ErasurePreview, { method: "POST", path: inside("/erasures"), body });
        signals += part.signals;
        first ??= part.first_at;
        last = part.last_at ?? last;
        after = part.next;
      }
      return { signals, first_at: first, last_at: last };
    },
  };
}
