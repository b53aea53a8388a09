/** What matters of a relay to a link that is about to open. */
export interface RelayRoom {
  readonly name: string;
  /** Whether the relay holds links of the host, or will hold one in a moment. */
  readonly has: boolean;
  /** Hosts whose links the relay holds, or will hold in a moment. */
  readonly hosts: number;
}

/** Links that one relay holds, unless more come for hosts that it holds already. */
export const LINKS_OF_RELAY = 64;
/** Links of an ecosystem from which on new ones go to relays, where no setting says otherwise. */
const DEFAULT_LINKS = 50;

/** Reads `LINK_RELAY_LINKS`: a number of links, or `off`. @returns `undefined`: it is neither */
export function readRelayLinks(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === "") return DEFAULT_LINKS;
  if (text.trim() === "off") return Number.POSITIVE_INFINITY;
  const links = Number(text);
  return Number.isInteger(links) && links >= 0 ? links : undefined;
}

/**
 * Where the next link of a host goes: to the relay that has the host; else to the log while the ecosystem has few links, and
 * then to the first relay that has room.
 *
 * @param ownLinks - links that the log itself holds
 * @param fromLinks - the number of links from which on relays are used
 * @returns the name of a relay, a new one where none has room; `undefined`: the log
 */
export function placeOfLink(relays: readonly RelayRoom[], ownLinks: number, fromLinks: number): string | undefined {
  const present = relays.find(({ has }) => has);
  if (present !== undefined) return present.name;
  const links = relays.reduce((sum, { hosts }) => sum + hosts, ownLinks);
  if (links < fromLinks) return undefined;
  const free = relays.find(({ hosts }) => hosts < LINKS_OF_RELAY);
  if (free !== undefined) return free.name;
  const names = new Set(relays.map(({ name }) => name));
  let number = 1;
  while (names.has(String(number))) number++;
  return String(number);
}
