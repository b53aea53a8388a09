import { setTimeout as pause } from "node:timers/promises";
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
import { fallbackReasonOf } from "./errors.ts";
import type { IntelligenceClient } from "./intelligence-client.ts";

export interface GathererOptions {
  readonly library: Library;
  /** Looks up the library of the edge, whose rules take the place of the one above where it answers. */
  readonly servedLibrary?: ((nodeType: string, domain: string) => Promise<LibraryFindings>) | undefined;
  /** Absent: the library alone, with the reason. */
  readonly client?: Pick<IntelligenceClient, "discover"> | undefined;
  readonly live?: boolean;
  /** Share of the keys that ask live hosts, in percent; default 100. */
  readonly share?: number;
  readonly preferLive?: boolean;
  readonly timeoutMs?: number | undefined;
  /** A third source; absent: none. */
  readonly retrieve?: ((request: ContextRequest) => Promise<RetrievedFindings>) | undefined;
  readonly now?: () => number;
  /** Receives a warning where the library is used because no host has answered. */
  readonly onFallback?: (reason: FallbackReason, message: string) => void;
  /** Called with each context, for metrics. */
  readonly onGathered?: (context: IntelligenceContext, request: ContextRequest, liveMs: number | undefined) => void;
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
    const { library, retrieve, now = Date.now, onFallback, onGathered, preferLive = true } = this.#options;
    const request = ContextRequest.parse(input);
    const startMs = now();
    const served = this.#served(request);
    const outcome = await this.#live(request, correlationId);
    const liveMs = "live" in outcome || outcome.asked ? now() - startMs : undefined;
    if ("reason" in outcome) onFallback?.(outcome.reason, `${outcome.message}; the built-in library is used instead`);
    const retrieved = await retrieve?.(request).catch((error: unknown) => {
      onFallback?.("failed_answer", `the retrieval service failed: ${String(error)}`);
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
    onGathered?.(context, request, liveMs);
    return context;
  }

  /** @returns `undefined` where the edge does not answer, or refuses */
  #served({ node_type, domain }: ContextRequest): Promise<LibraryFindings | undefined> | undefined {
    const asked = this.#options.servedLibrary?.(node_type, domain).catch(() => undefined);
    return asked && Promise.race([asked, pause(SERVED_MS, undefined, { ref: false })]);
  }

  async #live(
    { node_type, domain, service_name }: ContextRequest,
    correlationId: string,
  ): Promise<
    | { readonly live: LiveFindings }
    | { readonly reason: FallbackReason; readonly message: string; readonly asked: boolean }
  > {
    const { client, live = true, share = 100, timeoutMs = 5_000, now = Date.now } = this.#options;
    const not = (reason: FallbackReason, message: string) => ({ reason, message, asked: false });
    if (!live) return not("live_off", "live discovery is switched off");
    if (client === undefined) return not("no_client", "there is no connection to an edge");
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
      return { reason: fallbackReasonOf(error), message: (error as Error).message, asked: true };
    }
  }
}
