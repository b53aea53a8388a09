import type { DeadLetterRecord } from "./dead-letter.ts";

type Reported = Pick<DeadLetterRecord, "host" | "daemon">;

const LINK_DAEMON = "link/";
/** The owner of what parts of the edge report. */
export const EDGE = "ganglion";

/** Who reported a dead letter: a host, or a part of the edge. Signals that a link brought belong to its host. */
export function ownerOf({ host, daemon }: Reported): string {
  return host ?? (daemon.startsWith(LINK_DAEMON) ? daemon.slice(LINK_DAEMON.length) : EDGE);
}

/** The id under which a dead letter of `owner` is kept where somebody else's has the id that the owner gave. */
export const idOfOwner = (given: string, owner: string): string => `${given}~${owner}`;

/** The id that the owner of a dead letter gave it: by this one the owner knows what failed. */
export function givenId({ id, ...reported }: Reported & { readonly id: string }): string {
  const completion = idOfOwner("", ownerOf(reported));
  let given = id;
  while (given.endsWith(completion)) given = given.slice(0, -completion.length);
  return given;
}
