/** What a link says of itself when it opens; every field is checked by the Worker. */
export interface LinkClaim {
  readonly host: string;
  /** Id of the token. */
  readonly token: string;
  /**
   * `bound`: the token names the host among its own; `admin`: the token may do everything; `any`: the token is not bound
   * to hosts.
   */
  readonly right: "bound" | "admin" | "any";
  /** Identifies the agent's state on its disk; `null`: the agent does not say, as agents before 0.2 and plain clients do. */
  readonly installation: string | null;
  /** Identifies one process of that agent. */
  readonly instance: string | null;
  /** Where the agent runs, for people: the machine's name and the directory of its state. */
  readonly place: string;
  /** The installation takes the name from the one that is linked. */
  readonly takeOver: boolean;
}

/** Who owns a host's name. Stored; changes are rare. */
export interface HostOwner {
  readonly token: string;
  /** The installation that linked last; `null`: none said. */
  readonly installation: string | null;
  readonly place: string;
  /** When this token and installation took the name, in milliseconds since the epoch. */
  readonly sinceMs: number;
}

/** An open link of the host. */
export interface HostLink {
  /** Id of the token that opened it. */
  readonly token: string;
  /** The token may link as any host, beside the owner of the name. */
  readonly admin: boolean;
  readonly installation: string | null;
  readonly instance: string | null;
  readonly place: string;
  /** Processes of the same installation whose links this one, or one before, has replaced. */
  readonly replaced: readonly string[];
  /** The agent was heard of within {@link ALIVE_MS}. */
  readonly alive: boolean;
}

/** An agent pings four times in this time; one that is silent for longer has lost its machine or its network. */
export const ALIVE_MS = 60_000;
/** Replaced processes that a link remembers, and the characters of their names: its socket carries them. */
const REPLACED_KEPT = 8;
const REPLACED_CHARS = 1_024;

export type LinkDecision<Link extends HostLink> =
  | {
      readonly kind: "open";
      /** To be stored; `undefined`: as before. */
      readonly owner: HostOwner | undefined;
      /** Links to close. */
      readonly close: readonly Link[];
      readonly why: "replaced" | "taken-over";
      /** What the new link remembers. */
      readonly replaced: readonly string[];
    }
  | {
      readonly kind: "refused";
      readonly why: "another-token" | "another-installation" | "copy";
      readonly owner: HostOwner;
    };

/**
 * Whether a host's link may open, and which others end.
 *
 * A name belongs to the token that took it first, until an administrator releases it, the token ends, or a token comes that is
 * bound to the host. Among the installations of one token the one that is linked keeps the name, unless another takes
 * it over on purpose; a new one follows without a word when the old one is gone, as a container without a volume does.
 *
 * An installation replaces its own link at once: its machine may have restarted long before the edge notices. Only a
 * copy of its state (a cloned machine) comes back after it was replaced, because one process at a time holds a state.
 */
export function decideLink<Link extends HostLink>(
  claim: LinkClaim,
  owner: HostOwner | undefined,
  links: readonly Link[],
  nowMs: number,
): LinkDecision<Link> {
  if (owner !== undefined && owner.token !== claim.token && claim.right === "any")
    return { kind: "refused", why: "another-token", owner };
  const alive = links.filter((link) => link.alive);
  const others = alive.filter((link) => link.installation !== claim.installation);
  if (others.length > 0 && !claim.takeOver) {
    const [other] = others;
    return { kind: "refused", why: "another-installation", owner: ownerOf(owner, other, claim, nowMs) };
  }
  const own = links.filter((link) => link.installation === claim.installation && claim.installation !== null);
  const came = claim.instance;
  const copy = own.find(
    (link) => link.alive && came !== null && link.instance !== came && link.replaced.includes(came),
  );
  if (copy !== undefined && !claim.takeOver)
    return { kind: "refused", why: "copy", owner: ownerOf(owner, copy, claim, nowMs) };
  // A client that does not say who it is may have several links, as ever; the others end with those that they replace.
  // A token that takes the name ends what the token before it has open, whether that says who it is or not.
  const taken = claim.right !== "admin" && owner?.token !== claim.token;
  const lost = links.filter(({ token, admin }) => taken && token !== claim.token && !admin);
  const close = links.filter(
    (link) => lost.includes(link) || link.installation !== claim.installation || claim.installation !== null,
  );
  const replaced = new Set(
    own.flatMap((link) => [...link.replaced, ...(link.instance === null ? [] : [link.instance])]),
  );
  if (came !== null) replaced.delete(came);
  return {
    kind: "open",
    owner: changedOwner(claim, owner, nowMs),
    close,
    why: others.length > 0 || lost.length > 0 ? "taken-over" : "replaced",
    replaced: newest([...replaced]),
  };
}

function newest(names: readonly string[]): readonly string[] {
  let chars = 0;
  const tooLong = names.findLastIndex((name) => {
    chars += name.length;
    return chars > REPLACED_CHARS;
  });
  return names.slice(tooLong + 1).slice(-REPLACED_KEPT);
}

/** An administrator links as any host without taking its name from the token that has it. */
function changedOwner(claim: LinkClaim, owner: HostOwner | undefined, nowMs: number): HostOwner | undefined {
  const token = owner === undefined || claim.right !== "admin" ? claim.token : owner.token;
  const installation = claim.installation ?? owner?.installation ?? null;
  if (owner !== undefined && owner.token === token && owner.installation === installation) return undefined;
  return { token, installation, place: claim.place, sinceMs: nowMs };
}

function ownerOf(owner: HostOwner | undefined, link: HostLink | undefined, claim: LinkClaim, nowMs: number): HostOwner {
  const known = owner ?? { token: claim.token, installation: null, place: "", sinceMs: nowMs };
  return { ...known, place: link?.place || known.place };
}
