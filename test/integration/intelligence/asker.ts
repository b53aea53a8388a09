import * as z from "zod";
import { IntelligenceTimeout } from "../../../src/client/intelligence/errors.ts";
import { IntelligenceGatherer } from "../../../src/client/intelligence/gatherer.ts";
import { builtInLibrary } from "../../../src/client/intelligence/library-file.ts";
import { openIntelligence } from "../../../src/client/intelligence/open.ts";
import { topicsOf } from "../../../src/core/intelligence/topics.ts";

/**
 * Asks about code as a program in Node does. An operation is JSON: `{"ask": "patterns" | "health" | "context" | "contexts", …}`,
 * as for asker.py. Prints one line of JSON for each.
 */
const Operation = z.object({
  ask: z.enum(["patterns", "health", "context", "contexts"]),
  queue: z.string().optional(),
  source_path: z.string().default(""),
  timeout_ms: z.number().default(60_000),
  request: z.object({ node_type: z.string() }).loose().optional(),
  /** Another edge than that of the environment. */
  url: z.string().optional(),
  times: z.number().default(1),
});

const { GANGLION_URL = "", GANGLION_TOKEN: token = "" } = process.env;

async function run({
  ask,
  queue,
  source_path,
  timeout_ms,
  request,
  url = GANGLION_URL,
  times,
}: z.output<typeof Operation>) {
  const settings = {
    topicRequest: topicsOf("development").request,
    discoveryTimeoutMs: timeout_ms,
    analysisTimeoutMs: timeout_ms,
  };
  const client = openIntelligence({ url, token, settings, ...(queue !== undefined && { queue }) });
  try {
    switch (ask) {
      case "patterns": {
        const correlationId = crypto.randomUUID();
        const answer = await client.discover(source_path, undefined, { correlationId });
        return {
          same_correlation_id: client.counts.mismatches === 0,
          sent_to_responder: (answer.request_correlation_id ?? correlationId) === correlationId,
          patterns: answer.patterns.map(({ file_path, confidence }) => ({ file_path, confidence })),
        };
      }
      case "health":
        return { healthy: await client.healthCheck() };
      default: {
        const gatherer = new IntelligenceGatherer({ library: builtInLibrary(), client, timeoutMs: timeout_ms });
        const contexts = [];
        for (let n = 0; n < times; n++) contexts.push(await gatherer.gather({ node_type: "", ...request }));
        return ask === "context"
          ? contexts[0]
          : contexts.map(({ confidence_score, duration_ms, rag_sources }) => ({
              confidence_score,
              duration_ms,
              rag_sources,
            }));
      }
    }
  } finally {
    client.close();
  }
}

for (const argument of process.argv.slice(2)) {
  const result = await run(Operation.parse(JSON.parse(argument))).catch((error: unknown) => ({
    error: error instanceof IntelligenceTimeout ? "timeout" : String(error),
  }));
  console.log(JSON.stringify(result));
}
