import type * as z from "zod";
import { Export, ExportTest } from "../core/telemetry/api.ts";
import type { NewExport } from "../core/telemetry/settings.ts";
import { NoAnswer } from "./answers/no-answer.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

/** Time limit of a test in milliseconds: a receiver has 15 s for its response, plus the network. */
const TEST_MS = 20_000;

export function telemetryCalls({ call, inside }: Calls) {
  const path = inside("/telemetry/export");
  return {
    show: () => call(Export, { path }),
    /** The headers are stored, and never shown again. */
    set: (settings: z.input<typeof NewExport>) => call(Export, { method: "PUT", path, body: settings }),
    off: () => call(NoAnswer, { method: "DELETE", path }),
    test: () => call(ExportTest, { method: "POST", path: `${path}/test`, timeoutMs: TEST_MS }),
  };
}
