import { join } from "node:path";
import { BusService } from "./bus/bus-service.ts";
import { KnownIds } from "./bus/known-ids.ts";
import { DeadLetterFile } from "./dead-letter-file.ts";
import { Inbox } from "./inbox.ts";
import { Link, type LinkOptions, type LinkState } from "./link.ts";
import type { Logger } from "./log.ts";
import type { Report, ReportingService, Service } from "./service.ts";
import type { AgentSettings, SourceName } from "./settings.ts";
import { BUS_SINK } from "./sinks/bus.ts";
import { GpuSampler } from "./sources/gpu-sampler.ts";
import { HostSampler } from "./sources/host-sampler.ts";
import { IntentSource } from "./sources/intents.ts";
import { type Lane, Spool, type SpoolDepth } from "./spool.ts";
import { StateDatabase } from "./state-database.ts";

/** Settings, and what only tests and embedders change. */
export interface AgentOptions extends AgentSettings {
  readonly logger: Logger;
  readonly now?: () => number;
  readonly link?: Pick<LinkOptions, "heartbeatMs" | "backOff" | "drainMs">;
  readonly intents?: { readonly rescanMs?: number; readonly settleMs?: number };
  /** Command of the card's tool; default `nvidia-smi`. */
  readonly gpuCommand?: string;
}

export interface AgentStatus {
  readonly host: string;
  readonly link: LinkState;
  readonly sources: readonly Report[];
}

/** Figures that change all the time, for whoever asks. */
export interface AgentCounts {
  readonly spool: Readonly<Record<Lane, SpoolDepth>>;
  readonly intents: { readonly routed: number; readonly dead: number } | null;
  readonly bus: BusService["counts"] | null;
  readonly rejected: number;
}

const LINK_DEAD_LETTERS_BYTES = 64 * 1024 * 1024;
const BUS_DEAD_LETTERS_BYTES = 8 * 1024 * 1024;

/** Everything that runs on a host: sources → spool → link → inbox → sinks. */
export class Agent implements Service {
  readonly name = "agent";
  readonly #options: AgentOptions;
  readonly #listeners = new Set<() => void>();
  #db: StateDatabase | undefined;
  #parts: Parts | undefined;
  /** In the order in which they were started. */
  #started: Service[] = [];

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  get status(): AgentStatus {
    const { hostId, sources } = this.#options;
    const off = (name: SourceName): Report => ({ name, state: "off", detail: "switched off by GANGLION_SOURCES" });
    const report = (name: SourceName): Report => this.#parts?.sources.get(name)?.report() ?? off(name);
    const gpu = this.#parts?.gpu?.report();
    return {
      host: hostId,
      link: this.#parts?.link.state ?? { state: "stopped", detail: "not started" },
      sources: [
        sources.includes("sampler") ? report("sampler") : off("sampler"),
        ...(gpu === undefined ? [] : [gpu]),
        report("intents"),
        report("bus"),
      ],
    };
  }

  get counts(): AgentCounts | undefined {
    if (this.#parts === undefined) return undefined;
    const { spool, link, intents, bus } = this.#parts;
    return {
      spool: { bus: spool.depth("bus"), local: spool.depth("local") },
      intents: intents?.counts ?? null,
      bus: bus?.counts ?? null,
      rejected: link.rejectedCount,
    };
  }

  /** Hears every change of `status`. @returns a function that ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Resolves when all sources are up; the edge may be away.
   *
   * @throws ExpectedError for what a person can put right; nothing is left running then
   */
  async start(): Promise<void> {
    if (this.#db !== undefined) return;
    const { logger, stateDir } = this.#options;
    this.#db = StateDatabase.open(stateDir);
    try {
      this.#parts = assemble(this.#options, this.#db);
      for (const part of this.#parts.services) {
        this.#started.push(part);
        await part.start();
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
    for (const part of this.#parts.reporting) part.onChange(() => this.#changed());
    this.#parts.link.onChange(() => this.#changed());
    this.#changed();
    for (const { name, state, detail } of this.status.sources) logger.info(`${name}: ${state}, ${detail}`);
  }

  /** Sources first, so that the link can send what they took in; the files last. */
  async stop(): Promise<void> {
    for (const part of this.#started.splice(0).reverse()) {
      try {
        await part.stop();
      } catch (error) {
        this.#options.logger.error({ err: error }, `${part.name} did not stop cleanly`);
      }
    }
    await Promise.all(this.#parts?.deadLetters.map((file) => file.flush()) ?? []);
    this.#db?.close();
    this.#db = undefined;
  }

  #changed(): void {
    const { host, sources } = this.status;
    this.#parts?.link.setStatus({ host, sources });
    for (const listener of this.#listeners) listener();
  }
}

interface Parts {
  readonly spool: Spool;
  readonly link: Link;
  readonly intents: IntentSource | undefined;
  readonly bus: BusService | undefined;
  readonly gpu: GpuSampler | undefined;
  readonly sources: ReadonlyMap<SourceName, ReportingService>;
  readonly reporting: readonly ReportingService[];
  readonly services: readonly Service[];
  readonly deadLetters: readonly DeadLetterFile[];
}

function assemble(options: AgentOptions, db: StateDatabase): Parts {
  const { hostId, stateDir, logger: log, now = Date.now } = options;
  const wanted = new Set(options.sources);
  const spool = new Spool(db, { hostId, maxBytes: options.spoolMaxBytes, now, log });
  const inbox = new Inbox(db, wanted.has("bus") ? [BUS_SINK] : []);
  const linkDeadLetters = new DeadLetterFile({
    path: join(stateDir, "dead-letter", "link.jsonl"),
    maxBytes: LINK_DEAD_LETTERS_BYTES,
    log,
  });
  const busDeadLetters = new DeadLetterFile({
    path: join(stateDir, "dead-letter", "bus.jsonl"),
    maxBytes: BUS_DEAD_LETTERS_BYTES,
    log,
  });
  const { url, token, ecosystem, subscribe } = options;
  const link = new Link({
    ...{ url, token, ecosystem, hostId, spool, subscribe, log, deadLetters: linkDeadLetters, ...options.link },
    // Without a sink nothing would ever take what arrives out of the journal.
    inbox: wanted.has("bus") ? inbox : null,
  });
  const intervalMs = options.sampleSeconds * 1000;
  const { gpuCommand } = options;
  const gpu = wanted.has("sampler")
    ? new GpuSampler({ intervalMs, now, log, ...(gpuCommand !== undefined && { command: gpuCommand }) })
    : undefined;
  const sampler = gpu && new HostSampler({ hostId, intervalMs, spool, gpu: () => gpu.readings(), now, log });
  const intents = wanted.has("intents")
    ? new IntentSource({ directory: options.intentsDir, hostId, spool, now, log, ...options.intents })
    : undefined;
  const { xsub, xpub } = options;
  const bus = wanted.has("bus")
    ? new BusService({ xsub, xpub, spool, inbox, knownIds: new KnownIds(db), deadLetters: busDeadLetters, now, log })
    : undefined;
  const given = <T>(part: T | undefined): T[] => (part === undefined ? [] : [part]);
  const reporting: ReportingService[] = [...given(gpu), ...given(sampler), ...given(intents), ...given(bus)];
  return {
    spool,
    link,
    intents,
    bus,
    gpu,
    sources: new Map<SourceName, ReportingService>([
      ...given(sampler).map((part) => ["sampler", part] as const),
      ...given(intents).map((part) => ["intents", part] as const),
      ...given(bus).map((part) => ["bus", part] as const),
    ]),
    reporting,
    services: [link, ...reporting],
    deadLetters: [linkDeadLetters, busDeadLetters],
  };
}
