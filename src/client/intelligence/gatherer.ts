import { setTimeout as pause } from "node:timers/promises";
import type { ConnectionError } from "../../core/intelligence/asker-metrics.ts";
import {
  type ContextInput,
  ContextRequest,
  type FallbackReason,
  type IntelligenceContext,
  type LiveFindings,
  mergeContext,
  type RetrievedFindings,
} from "../../core/intelligence/context.ts";
import { type Library, type LibraryFindings, lookUp } from "../../core/intelligence/library.ts";
import { filePatternOf, readNodeType } from "../../core/intelligence/node-types.ts";
import { isInShare } from "../../core/intelligence/stable-share.ts";
import type { AskerRollout } from "./asker-rollout.ts";
import { fallbackReasonOf, IntelligenceUnavailable } from "./errors.ts";
import type { IntelligenceClient } from "./intelligence-client.ts";

export interface GathererOptions {
  readonly library: Library;
  /** Looks up the library of the edge, whose rules take the place of the one above where it answers. */
  readonly servedLibrary?: ((nodeType: string, domain: string) => Promise<LibraryFindings>) | undefined;
  /** Absent: the library alone, with the reason. */
  readonly client?: Pick<IntelligenceClient, "discover"> | undefined;
  readonly live?: boolean;
  /** Share of the keys that ask live hosts, in percent; default 100. Where there is a roll-out, the smaller share counts. */
  readonly share?: number;
  /** The roll-out of the edge; absent: the share above alone. */
  readonly rollout?: Pick<AskerRollout, "ready" | "share" | "gathered"> | undefined;
  readonly preferLive?: boolean;
  readonly timeoutMs?: number | undefined;
  /** Whether warnings name the correlation id of their request; default true. */
  readonly correlationTracking?: boolean;
  /** A third source; absent: none. */
  readonly retrieve?: ((request: ContextRequest) => Promise<RetrievedFindings>) | undefined;
  readonly now?: () => number;
  /** Receives a warning where the library is used because no host has answered. */
  readonly onFallback?: (reason: FallbackReason, message: string) => void;
  /** Called with each context, for metrics. */
  readonly onGathered?: (
    context: IntelligenceContext,
    request: ContextRequest,
    liveMs: number | undefined,
    connectionError: ConnectionError | undefined,
  ) => void;
}

/** Longest wait for the library of the edge. */
const SERVED_MS = 1_000;
/** Most patterns that one context holds. */
const PATTERNS = 10;

/** Gathers what is known about a kind of node. Whoever asks always gets an answer, and is told where it comes from. */
export class IntelligenceGatherer {
  readonly #options: GathererOptions;

  constructor(options: GathererOptions) {
    this.#options = options;
  }

  /** @throws ZodError for an input of another shape; never because a source fails */
  async gather(input: ContextInput, correlationId: string = crypto.randomUUID()): Promise<IntelligenceContext> {
    const { library, retrieve, now = Date.now, onFallback, onGathered, preferLive = true, rollout } = this.#options;
    const request = ContextRequest.parse(input);
    // A question once in the life of the process: from then on the edge pushes what changes.
    if (this.#asksLive) await rollout?.ready();
    const startMs = now();
    const served = this.#served(request);
    const outcome = await this.#live(request, correlationId);
    const liveMs = "live" in outcome || outcome.asked ? now() - startMs : undefined;
    const about = this.#options.correlationTracking === false ? "" : ` (request ${correlationId})`;
    if ("reason" in outcome)
      onFallback?.(outcome.reason, `${outcome.message}; the built-in library is used instead${about}`);
    const retrieved = await retrieve?.(request).catch((error: unknown) => {
      onFallback?.("failed_answer", `the retrieval service failed: ${String(error)}${about}`);
      return undefined;
    });
    const context = mergeContext({
      live: "live" in outcome ? outcome.live : undefined,
      fallbackReason: "reason" in outcome ? outcome.reason : null,
      library: (await served) ?? lookUp(library, readNodeType(request.node_type), request.domain),
      retrieved,
      preferLive,
      correlationId,
      durationMs: now() - startMs,
    });
    rollout?.gathered(context, liveMs);
    onGathered?.(context, request, liveMs, "connectionError" in outcome ? outcome.connectionError : undefined);
    return context;
  }

  /** @returns `undefined` where the edge does not answer, or refuses */
  #served({ node_type, domain }: ContextRequest): Promise<LibraryFindings | undefined> | undefined {
    const asked = this.#options.servedLibrary?.(node_type, domain).catch(() => undefined);
    return asked && Promise.race([asked, pause(SERVED_MS, undefined, { ref: false })]);
  }

  get #asksLive(): boolean {
    return this.#options.live !== false && this.#options.client !== undefined;
  }

  async #live(
    { node_type, domain, service_name }: ContextRequest,
    correlationId: string,
  ): Promise<
    | { readonly live: LiveFindings }
    | {
        readonly reason: FallbackReason;
        readonly message: string;
        readonly asked: boolean;
        readonly connectionError?: ConnectionError | undefined;
      }
  > {
    const { client, live = true, rollout, timeoutMs = 5_000, now = Date.now } = this.#options;
    const not = (reason: FallbackReason, message: string) => ({ reason, message, asked: false });
    if (!live) return not("live_off", "live discovery is switched off");
    if (client === undefined) return not("no_client", "there is no connection to an edge");
    const share = Math.min(this.#options.share ?? 100, rollout?.share ?? 100);
    if (!isInShare(service_name === "" ? correlationId : service_name, share))
      return not("not_in_share", `the roll-out of ${share} % did not choose this request`);
    const type = readNodeType(node_type);
    if (type === undefined)
      return not("failed_answer", `the node type ${JSON.stringify(node_type.slice(0, 50))} is unknown`);
    try {
      const endMs = now() + timeoutMs;
      const options = { limit: PATTERNS, ...(domain !== "" && { domain }) };
      const own = await client.discover(filePatternOf(type), "python", { timeoutMs, correlationId, options });
      if (own.patterns.length > 0 || domain === "") return { live: { patterns: own.patterns } };
      // Nodes of the same kind for other domains show the kind all the same.
      const rest = { timeoutMs: Math.max(1, endMs - now()), correlationId, options: { limit: PATTERNS } };
      const any = await client.discover(filePatternOf(type), "python", rest);
      return { live: { patterns: any.patterns } };
    } catch (error) {
      const connectionError = error instanceof IntelligenceUnavailable ? error.connectionError : undefined;
      return { reason: fallbackReasonOf(error), message: (error as Error).message, asked: true, connectionError };
    }
  }
}
