import type { EdgeRound } from "../../core/hosts/edge-vitals.ts";
import type { HostLink, HostOwner, LinkClaim } from "../../core/hosts/link-claim.ts";
import type { GatherAfter, HostAnswers } from "../../core/hosts/links.ts";
import type { Delivery, PlaceInLog } from "../../core/links/relay-feed.ts";
import type { ClaimingRelay, RelayReport } from "../../core/links/relayed-links.ts";
import type { TokenQuota } from "../../core/quotas/token-quotas.ts";
import type { AppendOutcome, AppendRequest } from "../../core/signals/api.ts";
import type { Matches } from "./log-reader.ts";

/** What subscribers and operators see of a relay. */
export interface RelayFlow {
  readonly hosts: readonly string[];
  readonly subscribers: number;
  readonly bytes_in_flight: number;
  readonly unknown_frames: number;
}

/** Calls of the log to a relay. */
export interface CallsOfRelay {
  /** Sends signals on to the links that are subscribed to them. */
  deliver(delivery: Delivery): Promise<void>;
  /** How far all links have been served that are up to date; `null`: none is subscribed. */
  place(): Promise<number | null>;
  gather(
    monitors: readonly string[],
    timeoutMs: number,
    after: GatherAfter,
    end: Delivery | undefined,
    edge?: EdgeRound,
  ): Promise<RelayAnswers>;
  links(): Promise<RelayReport>;
  linksOf(host: string): Promise<HostLink[]>;
  closeToken(id: string): Promise<void>;
  /** Closes the links of a host that were opened with some tokens: another object holds its link now. */
  closeHost(host: string, tokens: readonly string[], why: "replaced" | "taken-over"): Promise<void>;
  flow(): Promise<RelayFlow>;
}

/** A link that wants to open at a relay. */
export interface RelayClaim extends ClaimingRelay {
  readonly claim: LinkClaim;
  readonly token: { readonly id: string; readonly expiresMs: number | null };
  /** Links of the host that the relay holds. */
  readonly links: readonly HostLink[];
}

/** Answers of a relay's hosts. */
export type RelayAnswers = Omit<HostAnswers, "report"> & { readonly report: RelayReport };

/** A token has as many of something as it may have. */
export interface OverQuota {
  readonly kind: "over";
  readonly quota: TokenQuota;
  readonly limit: number;
}

export type ClaimAnswer =
  | { readonly kind: "ended" }
  | OverQuota
  | {
      readonly kind: "refused";
      readonly why: "another-token" | "another-installation" | "copy";
      readonly owner: HostOwner;
    }
  | {
      readonly kind: "open";
      /** Places of the links in the claim that are to be closed. */
      readonly close: readonly number[];
      readonly why: "replaced" | "taken-over";
      readonly replaced: readonly string[];
    };

export interface RelayRead {
  readonly after: number;
  /** The end of the log, as far as the relay knows it. */
  readonly upTo: number;
  readonly patterns: readonly string[];
  readonly limit: number;
  readonly maxChars: number;
}

/** What was read, and from which log. */
export type RelayStretch = Matches & { readonly epoch: string };

/** Calls of a relay to the log. */
export interface CallsOfLog {
  relayAppend(requests: readonly AppendRequest[]): Promise<AppendOutcome[]>;
  /** @returns the end of the log: every later signal that matches is delivered */
  relaySubscribe(relay: string, patterns: readonly string[]): Promise<PlaceInLog>;
  relayRead(query: RelayRead): Promise<RelayStretch>;
  relayClaim(claim: RelayClaim): Promise<ClaimAnswer>;
  /** @param statuses - JSON texts, by host */
  relayReport(relay: string, report: RelayReport, statuses: ReadonlyMap<string, string>): Promise<void>;
}

/** Names, in the answer to a request for a link, the relay at which the request is to be made. */
export const RELAY_HEADER = "X-Ganglion-Relay";
