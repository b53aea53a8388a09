import { placeOfLink } from "./place-of-link.ts";

/** A link that a relay holds. */
export interface RelayedLink {
  readonly host: string;
  readonly openedMs: number;
  /** Id of the token that opened it. */
  readonly token: string;
}

/** The open links of a relay. A report with a lower version of the same instance is older. */
export interface RelayReport {
  readonly instance: string;
  readonly version: number;
  readonly links: readonly RelayedLink[];
}

/** What a relay says of itself when it asks whether a link may open. */
export interface ClaimingRelay {
  readonly relay: string;
  /** Hosts of the links of the claiming token that the relay holds. */
  readonly ofToken: readonly string[];
  /** Hosts for which the relay waits for an answer. */
  readonly claiming: readonly string[];
}

interface Relay {
  readonly name: string;
  links: readonly RelayedLink[];
  byHost: Map<string, RelayedLink[]>;
  byToken: Map<string, number>;
  /** Hosts that were sent here, and whose link the relay has not reported yet. */
  readonly coming: Set<string>;
  /** Of the last report; an older one of the same life of the relay changes nothing. */
  report: Pick<RelayReport, "instance" | "version"> | undefined;
}

/** How long a link that was sent to a relay counts without a report. */
const COMING_MS = 60_000;

/** Which links the relays of an ecosystem hold, as the log knows it: by their reports, and by what it has decided since. */
export class RelayedLinks {
  readonly #relays = new Map<string, Relay>();
  /** By host, in the order of time. */
  readonly #coming = new Map<string, { readonly relay: Relay; readonly untilMs: number }>();
  /** Links that may open and that their relay has not reported yet, by host, in the order of time. */
  readonly #admitted = new Map<string, { readonly relay: string; readonly token: string; readonly untilMs: number }>();

  add(name: string): void {
    if (this.#relays.has(name)) return;
    const [byHost, byToken, coming] = [new Map(), new Map(), new Set<string>()];
    this.#relays.set(name, { name, links: [], byHost, byToken, coming, report: undefined });
  }

  get links(): RelayedLink[] {
    return [...this.#relays.values()].flatMap(({ links }) => links);
  }

  /** Hosts with links at a relay. */
  hasHost(name: string, host: string): boolean {
    return this.#relays.get(name)?.byHost.has(host) === true;
  }

  /** @returns whether links opened or closed */
  reported(name: string, { instance, version, links }: RelayReport): boolean {
    this.add(name);
    const relay = this.#relays.get(name);
    if (relay === undefined) return false;
    if (relay.report?.instance === instance && relay.report.version >= version) return false;
    const changed = JSON.stringify(relay.links) !== JSON.stringify(links);
    relay.report = { instance, version };
    relay.links = links;
    relay.byHost = Map.groupBy(links, ({ host }) => host);
    relay.byToken = new Map();
    for (const { token } of links) relay.byToken.set(token, (relay.byToken.get(token) ?? 0) + 1);
    for (const host of relay.byHost.keys()) {
      if (this.#coming.get(host)?.relay === relay) this.#coming.delete(host);
      relay.coming.delete(host);
      if (this.#admitted.get(host)?.relay === name) this.#admitted.delete(host);
    }
    return changed;
  }

  /**
   * @param ownLinks - links that the log itself holds
   * @param fromLinks - the number of links from which on new ones go to relays
   * @returns the relay for the next link of a host; `undefined`: the log holds it
   */
  place(host: string, ownLinks: number, fromLinks: number, nowMs: number): string | undefined {
    for (const [comer, { relay, untilMs }] of this.#coming) {
      if (untilMs > nowMs) break;
      this.#coming.delete(comer);
      relay.coming.delete(comer);
    }
    const rooms = [...this.#relays.values()].map(({ name, byHost, coming }) => ({
      name,
      has: byHost.has(host) || coming.has(host) || this.#admitted.get(host)?.relay === name,
      hosts: byHost.size + coming.size,
    }));
    const name = placeOfLink(rooms, ownLinks, fromLinks);
    if (name === undefined) return undefined;
    this.add(name);
    const relay = this.#relays.get(name);
    if (relay === undefined || relay.byHost.has(host)) return name;
    relay.coming.add(host);
    this.#coming.delete(host);
    this.#coming.set(host, { relay, untilMs: nowMs + COMING_MS });
    return name;
  }

  /** Relays other than `except` that hold links of the host, or will hold one in a moment. */
  relaysWith(host: string, except: string): string[] {
    const coming = this.#admitted.get(host)?.relay;
    return [...this.#relays.values()]
      .filter(({ name, byHost }) => name !== except && (byHost.has(host) || name === coming))
      .map(({ name }) => name);
  }

  /** A link of the host may open at the relay. */
  admitted(relay: string, host: string, token: string, nowMs: number): void {
    this.#admitted.delete(host);
    this.#admitted.set(host, { relay, token, untilMs: nowMs + COMING_MS });
  }

  /**
   * Links of a token at all relays, without those of one host: reported ones, and those that will open in a moment.
   *
   * @param claim - of a relay, which knows exactly what it holds
   */
  countOf(token: string, exceptHost: string | undefined, nowMs: number, claim?: ClaimingRelay): number {
    const claimed = new Set(claim?.ofToken);
    let count = 0;
    for (const { name, byHost, byToken } of this.#relays.values()) {
      if (name === claim?.relay) continue;
      count += byToken.get(token) ?? 0;
      if (exceptHost !== undefined)
        count -= (byHost.get(exceptHost) ?? []).filter((link) => link.token === token).length;
    }
    for (const host of claim?.ofToken ?? []) if (host !== exceptHost) count++;
    for (const [host, { relay, token: of, untilMs }] of this.#admitted) {
      const opened = relay === claim?.relay && !claim.claiming.includes(host);
      if (opened || untilMs <= nowMs) this.#admitted.delete(host);
      else if (of === token && host !== exceptHost && !(relay === claim?.relay && claimed.has(host))) count++;
    }
    return count;
  }
}
