import { CALL_TYPES, INTELLIGENCE_QUEUE } from "../../core/intelligence/call-types.ts";
import type { IntelligenceSettings } from "../../core/intelligence/settings.ts";
import { createClient } from "../client.ts";
import { openSocketSource } from "../stream/socket-source.ts";
import { openCaller } from "../work/caller.ts";
import { AskerRollout } from "./asker-rollout.ts";
import { type CallResponders, IntelligenceClient } from "./intelligence-client.ts";

export interface OpenIntelligenceOptions {
  readonly url: string;
  readonly token: string;
  readonly ecosystem?: string;
  readonly settings: Pick<IntelligenceSettings, "topicRequest" | "discoveryTimeoutMs" | "analysisTimeoutMs"> &
    Partial<Pick<IntelligenceSettings, "correlationTracking" | "metrics">>;
  /** Queue of the responders; default `intelligence`. */
  readonly queue?: string;
  readonly service?: string;
  /** `http`: each request by itself, for a program that asks once; default `channel`. */
  readonly transport?: "channel" | "http";
  readonly onRemark?: (text: string) => void;
  /** Called with each answer to another request, which no asker gets. */
  readonly onMismatch?: () => void;
}

/** Opens a client, by default over one channel for all its requests. In Node alone. */
export function openIntelligence(options: OpenIntelligenceOptions): IntelligenceClient {
  const { settings, service, transport = "channel", onRemark, onMismatch } = options;
  const remarks = onRemark === undefined ? {} : { onRemark };
  return new IntelligenceClient({
    calls: transport === "http" ? callsOverHttp(options) : callsOverChannel(options),
    topic: settings.topicRequest,
    discoveryTimeoutMs: settings.discoveryTimeoutMs,
    analysisTimeoutMs: settings.analysisTimeoutMs,
    ...(service !== undefined && { service }),
    ...(onMismatch !== undefined && { onMismatch }),
    correlationTracking: settings.correlationTracking ?? true,
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

/**
 * Opens the asker's side of the roll-out: give it to the gatherer as `rollout`, and close it at the end. In Node alone.
 *
 * The token needs `tasks:write`, as for the requests; with `signals:read` changes come at once, and else with the answer to
 * the next report. A program that asks once (`transport: "http"`) reads the share when it starts.
 */
export function openRollout(
  options: Pick<OpenIntelligenceOptions, "url" | "token" | "ecosystem" | "transport" | "onRemark"> &
    Partial<Pick<OpenIntelligenceOptions, "settings">>,
): AskerRollout {
  const { url, token, ecosystem = "default", transport = "channel", settings, onRemark } = options;
  const client = createClient({ url, token, ecosystem, openSource: openSocketSource, retry: { retries: 0 } });
  return new AskerRollout({
    report: (report, limits) => client.rollout.report(report, limits),
    measured: settings?.metrics ?? true,
    ...(transport === "channel" && { follow: client.follow }),
    ...(onRemark !== undefined && { onRemark }),
  });
}
