import { Deletion, EcosystemList, ExportPage, ImportReceipt } from "../core/ecosystems/document.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
  readonly name: string;
}

/** Large pages over slow lines. */
const TIMEOUT_MS = 300_000;

/** Calls about ecosystems as a whole. */
export function ecosystemCalls({ call, inside, name }: Calls) {
  return {
    list: async () => (await call(EcosystemList, { path: "/v1/ecosystems" })).ecosystems,
    /** Lines of the export, a page at a time. */
    async *export(withSecrets: boolean): AsyncGenerator<readonly string[]> {
      let after: string | undefined;
      do {
        const query = { after, with_secrets: String(withSecrets) };
        const page = await call(ExportPage, { path: inside("/export"), query, timeoutMs: TIMEOUT_MS });
        yield page.lines;
        after = page.next ?? undefined;
      } while (after !== undefined);
    },
    /** @param text - lines of an export @returns whether the last one was among them */
    import: async (id: string, text: string) => {
      const path = inside("/import");
      const query = { import: id };
      return (await call(ImportReceipt, { method: "POST", path, query, ndjson: text, timeoutMs: TIMEOUT_MS })).complete;
    },
    /** Deletes the ecosystem of this client. */
    delete: async () => {
      const once = () =>
        call(Deletion, { method: "DELETE", path: inside(""), query: { confirm: name }, timeoutMs: TIMEOUT_MS });
      while (!(await once()).deleted);
    },
  };
}
