import type * as z from "zod";
import {
  HostReserve,
  type HostReserveAnswer,
  HostSettle,
  type HostSettleAnswer,
  type HostShareStatus,
} from "../../src/core/limits/host/api.ts";
import type { Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import { CommandRefused } from "../feature/command.ts";
import type { EdgeLink } from "../feature/edge-link.ts";
import type { HostSettings } from "../feature/feature.ts";
import { hostClock } from "./host-clock.ts";
import { limitEdge } from "./limit-edge.ts";
import { SettlementRelay } from "./settlement-relay.ts";
import { ShareDesk } from "./share-desk.ts";
import { hasJournal, openJournal, type ShareJournal } from "./share-journal.ts";

interface LimitSharesOptions extends HostSettings {
  readonly link: EdgeLink;
  readonly log: Logger;
}

interface Parts {
  readonly journal: ShareJournal;
  readonly relay: SettlementRelay;
  readonly desk: ShareDesk;
}

/** What is on its way when the agent stops has so long to arrive; the rest is sent after the next start. */
const STOP_MS = 3_000;

/** Holds shares of limits for all processes of this host. A host whose processes reserve nothing writes and sends nothing. */
export class LimitShares implements Service {
  readonly name = "limits";
  readonly #options: LimitSharesOptions;
  readonly #clock = hostClock(Date.now);
  #parts: Parts | undefined;
  #removeListener: () => void = () => undefined;
  #started = false;

  constructor(options: LimitSharesOptions) {
    this.#options = options;
  }

  /** For the agent's status. */
  get status(): HostShareStatus {
    const { desk, journal, relay } = this.#parts ?? {};
    return {
      held: desk?.held ?? [],
      unsent: journal?.unsentCount ?? 0,
      refused: relay?.refused ?? 0,
      ...(relay?.problem !== undefined && { problem: relay.problem }),
    };
  }

  get counts() {
    return this.#parts?.desk.counts ?? { shared: 0, alone: 0, away: 0, refused: 0 };
  }

  async start(): Promise<void> {
    this.#started = true;
    // An earlier agent may have left blocks to be settled, and settlements to be sent.
    if (hasJournal(this.#options.stateDir)) this.#open().relay.run();
    const { link } = this.#options;
    this.#removeListener = link.onChange(() => {
      if (link.state.state === "connected") this.#parts?.relay.hurry();
    });
  }

  async stop(): Promise<void> {
    this.#started = false;
    this.#removeListener();
    const parts = this.#parts;
    this.#parts = undefined;
    if (parts !== undefined) {
      parts.desk.stop();
      await parts.relay.stop(STOP_MS);
      parts.journal.close();
    }
  }

  async reserve(payload: unknown, signal: AbortSignal): Promise<HostReserveAnswer> {
    const request = this.#read(HostReserve, payload);
    return await this.#open().desk.reserve(request, signal);
  }

  settle(payload: unknown): HostSettleAnswer {
    return this.#open().desk.settle(this.#read(HostSettle, payload));
  }

  /** @throws CommandRefused: the caller's edge is another one, or what it sends is wrong */
  #read<Request extends { readonly url: string; readonly ecosystem: string }>(
    schema: z.ZodType<Request>,
    payload: unknown,
  ): Request {
    const read = schema.safeParse(payload);
    if (!read.success) {
      const [first] = read.error.issues;
      throw new CommandRefused(`/${first?.path.map(String).join("/") ?? ""}: ${first?.message ?? "give a document"}`);
    }
    const { url, ecosystem } = this.#options;
    const isOwn = originOf(read.data.url) === originOf(url) && read.data.ecosystem === ecosystem;
    if (!isOwn) throw new CommandRefused("the agent of this host belongs to another edge or ecosystem", "other-edge");
    return read.data;
  }

  #open(): Parts {
    if (!this.#started) throw new Error("limits: the agent stops");
    if (this.#parts !== undefined) return this.#parts;
    const { stateDir, hostId, log } = this.#options;
    const journal = openJournal(stateDir, Date.now(), (path) =>
      log.error(`limits: what was held could not be read, and was moved to ${path}; it expires at the edge`),
    );
    const edge = limitEdge(this.#options);
    const relay = new SettlementRelay({
      journal,
      settle: edge.settle,
      log,
      onAnswer: (limit, { closed_until }) => {
        if (closed_until !== undefined) desk.closed(limit, "the edge has closed it", Date.parse(closed_until));
      },
    });
    const desk = new ShareDesk({
      hostId,
      journal,
      clock: this.#clock,
      reserve: edge.reserve,
      toTell: () => relay.run(),
      onRemark: (text) => log.warn(`limits: ${text}`),
    });
    this.#parts = { journal, relay, desk };
    return this.#parts;
  }
}

/** How an address is written makes no other edge of it. */
function originOf(url: string): string {
  if (!URL.canParse(url)) return url;
  const { origin, pathname } = new URL(url);
  return origin.replace("//localhost:", "//127.0.0.1:") + pathname.replace(/\/$/, "");
}
