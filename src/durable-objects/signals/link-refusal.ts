import type { HostLink, HostOwner, LinkDecision } from "../../core/hosts/link-claim.ts";
import { PROBLEM_TYPE, type Problem, problem } from "../../core/problem/problem.ts";
import { overQuota, retryAfterOf } from "../../core/quotas/token-quotas.ts";
import { formatTimestamp } from "../../core/signals/timestamp.ts";
import type { OverQuota } from "./relay-calls.ts";

type Refused = Extract<LinkDecision<HostLink>, { kind: "refused" }>;

/** Close codes of links that another link replaces; 4000 to 4999 are for applications (RFC 6455, section 7.4.2). */
export const CLOSED_BY = { replaced: 4001, "taken-over": 4002 } as const;

export const CLOSED_BECAUSE = {
  replaced: "a newer link of this installation is open",
  "taken-over": "another installation or token took the name of this host over",
} as const;

/** The answer to a link that may not open: who has the name, and what to do. */
export function linkRefused(host: string, { why, owner }: Refused): Response {
  const refusal = describe(host, why, owner);
  return Response.json(refusal, { status: refusal.status, headers: { "Content-Type": PROBLEM_TYPE } });
}

/** The answer to a link or stream of a token that has as many as it may have. */
export function overQuotaRefused({ quota, limit }: OverQuota): Response {
  const seconds = retryAfterOf(quota);
  const refused = overQuota(quota, limit);
  const headers = { "Content-Type": PROBLEM_TYPE, ...(seconds === undefined ? {} : { "Retry-After": `${seconds}` }) };
  return Response.json(refused, { status: refused.status, headers });
}

function describe(host: string, why: Refused["why"], { place, sinceMs }: HostOwner): Problem {
  const at = place === "" ? "an agent that does not say where it runs" : place;
  const members = { host, place, since: formatTimestamp(sinceMs) };
  switch (why) {
    case "another-token":
      return problem(
        "host-taken",
        409,
        "The host name belongs to another token",
        `${host} has been linked by another token since ${members.since} (${at}). Use that token, choose another name ` +
          `(GANGLION_HOST_ID), bind this token to the host, or release the name: ganglion hosts ${host} --release`,
        members,
      );
    case "another-installation":
      return problem(
        "host-in-use",
        409,
        "Another installation uses this host name",
        `${host} is linked from ${at}. Choose another name (GANGLION_HOST_ID), stop that agent, or start this one with ` +
          "--take-over to replace it",
        members,
      );
    case "copy":
      return problem(
        "host-copied",
        409,
        "Another machine runs a copy of this installation",
        `${host} is linked from ${at}, with a copy of this agent's state. Nothing is lost: signals wait here. Give one of ` +
          "the two a name of its own (GANGLION_HOST_ID), or start this one with --take-over to replace the other",
        members,
      );
  }
}
