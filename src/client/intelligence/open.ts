import { CALL_TYPES, INTELLIGENCE_QUEUE } from "../../core/intelligence/call-types.ts";
import type { IntelligenceSettings } from "../../core/intelligence/settings.ts";
import { createClient } from "../client.ts";
import { openCaller } from "../work/caller.ts";
import { type CallResponders, IntelligenceClient } from "./intelligence-client.ts";

export interface OpenIntelligenceOptions {
  readonly url: string;
  readonly token: string;
  readonly ecosystem?: string;
  readonly settings: Pick<IntelligenceSettings, "topicRequest" | "discoveryTimeoutMs" | "analysisTimeoutMs">;
  /** Queue of the responders; default `intelligence`. */
  readonly queue?: string;
  readonly service?: string;
  /** `http`: each request by itself, for a program that asks once; default `channel`. */
  readonly transport?: "channel" | "http";
  readonly onRemark?: (text: string) => void;
}

/** Opens a client, by default over one channel for all its requests. In Node alone. */
export function openIntelligence(options: OpenIntelligenceOptions): IntelligenceClient {
  const { settings, service, transport = "channel", onRemark } = options;
  const remarks = onRemark === undefined ? {} : { onRemark };
  return new IntelligenceClient({
    calls: transport === "http" ? callsOverHttp(options) : callsOverChannel(options),
    topic: settings.topicRequest,
    discoveryTimeoutMs: settings.discoveryTimeoutMs,
    analysisTimeoutMs: settings.analysisTimeoutMs,
    ...(service !== undefined && { service }),
    ...remarks,
  });
}

type Where = Pick<OpenIntelligenceOptions, "url" | "token" | "ecosystem" | "queue" | "onRemark">;

/** The client repeats requests itself, within the asker's limit: below it, nothing is repeated. */
function callsOverHttp({ url, token, ecosystem = "default", queue = INTELLIGENCE_QUEUE }: Where): CallResponders {
  const { queues } = createClient({ url, token, ecosystem, retry: { retries: 0 } });
  return {
    call: (recipient, type, payload, options) => queues.call(queue, recipient, type, payload, options),
    close: () => undefined,
  };
}

/** A channel waits for an edge that is away; whether it is away, a request of its own says at once. */
function callsOverChannel(where: Where): CallResponders {
  const { url, token, ecosystem = "default", queue = INTELLIGENCE_QUEUE, onRemark } = where;
  const caller = openCaller(queue, { url, token, ecosystem, ...(onRemark !== undefined && { onRemark }) });
  const health = callsOverHttp(where);
  return {
    call: (recipient, type, payload, options) =>
      (type === CALL_TYPES.health ? health : caller).call(recipient, type, payload, options),
    close: () => caller.close(),
  };
}
