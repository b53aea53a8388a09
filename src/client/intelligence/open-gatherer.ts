import { AskerMetrics } from "../../core/intelligence/asker-metrics.ts";
import type { FallbackReason } from "../../core/intelligence/context.ts";
import type { IntelligenceSettings } from "../../core/intelligence/settings.ts";
import { createClient } from "../client.ts";
import { IntelligenceGatherer } from "./gatherer.ts";
import type { IntelligenceClient } from "./intelligence-client.ts";
import { openLibrary } from "./library-file.ts";
import { type OpenIntelligenceOptions, openIntelligence, openRollout } from "./open.ts";
import { retrievalService } from "./retrieval.ts";

export interface OpenGathererOptions {
  readonly settings: IntelligenceSettings;
  /** Where the edge is; absent: the library alone. */
  readonly connection?: Pick<OpenIntelligenceOptions, "url" | "token" | "ecosystem"> | undefined;
  readonly service?: string;
  readonly transport?: OpenIntelligenceOptions["transport"];
  /** In place of the settings' limit. */
  readonly timeoutMs?: number | undefined;
  readonly onFallback?: (reason: FallbackReason, message: string) => void;
  readonly onRemark?: (text: string) => void;
}

export interface OpenGatherer {
  readonly gatherer: IntelligenceGatherer;
  /** Absent where the settings want no live hosts. */
  readonly client: IntelligenceClient | undefined;
  /** Absent where the settings want no metrics. */
  readonly metrics: AskerMetrics | undefined;
  /** Ends the connections, after a last report. */
  close(): Promise<void>;
}

/** A gatherer with everything that the settings say: client, roll-out, library, retrieval service and metrics. In Node alone. */
export function openGatherer(options: OpenGathererOptions): OpenGatherer {
  const { settings, connection, service, transport = "channel", timeoutMs, onFallback, onRemark } = options;
  const live = settings.enabled && settings.live;
  const metrics = settings.metrics ? new AskerMetrics() : undefined;
  const asked = connection !== undefined && live ? { ...connection, settings, transport } : undefined;
  const remarks = onRemark === undefined ? {} : { onRemark };
  const client =
    asked === undefined
      ? undefined
      : openIntelligence({
          ...asked,
          ...remarks,
          ...(service !== undefined && { service }),
          onMismatch: () => metrics?.mismatched(),
        });
  const rollout = asked === undefined ? undefined : openRollout({ ...asked, ...remarks });
  const gatherer = new IntelligenceGatherer({
    library: openLibrary(settings.library),
    // A library of one's own is known here alone.
    servedLibrary:
      connection !== undefined && settings.enabled && settings.library === undefined
        ? createClient({ ...connection, retry: { retries: 0 } }).intelligence.library
        : undefined,
    client,
    rollout,
    live: live && connection !== undefined,
    share: settings.share,
    preferLive: settings.preferLive,
    correlationTracking: settings.correlationTracking,
    timeoutMs: timeoutMs ?? settings.discoveryTimeoutMs,
    retrieve:
      settings.retrieval && settings.retrievalUrl !== undefined ? retrievalService(settings.retrievalUrl) : undefined,
    ...(onFallback !== undefined && { onFallback }),
    ...(metrics !== undefined && { onGathered: (...all) => metrics.gathered(...all) }),
  });
  return {
    gatherer,
    client,
    metrics,
    close: async () => {
      client?.close();
      await rollout?.close();
    },
  };
}
