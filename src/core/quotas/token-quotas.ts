import { type Problem, problem } from "../problem/problem.ts";
import type { Excess } from "./excess.ts";

/**
 * What one token may have at once, in an ecosystem where nothing else is said. Fifty hosts with twenty agents each on one
 * token have a twentieth of the hosts and links. Administrators are exempt.
 */
const TOKEN_QUOTAS = {
  /** Names of hosts that belong to the token. */
  hosts: 1_000,
  /** Links and streams that the token has open. */
  links: 2_000,
  /** Queues that began with a task or a setting of the token, in the whole deployment. */
  queues: 1_000,
  /** Ecosystems that began with a call of the token, where the token is for all ecosystems. */
  ecosystems: 100,
  /** Open dead letters of a host, whichever token it has. Beyond them its oldest ones go. */
  dead_letters: 50_000,
  /** What a token, or a host, may add to a log in a day (UTC), in megabytes of facts: half of what a log holds by default. */
  log_megabytes: 4_000,
} as const;

export type TokenQuota = keyof typeof TOKEN_QUOTAS;

/** The variable of the deployment that sets each quota. */
const SETTINGS = {
  hosts: "QUOTA_HOSTS",
  links: "QUOTA_LINKS",
  queues: "QUOTA_QUEUES",
  ecosystems: "QUOTA_ECOSYSTEMS",
  dead_letters: "QUOTA_DEAD_LETTERS",
  log_megabytes: "QUOTA_LOG_MB",
} as const satisfies Record<TokenQuota, string>;

/** Variables that set quotas; each a whole number. */
export type QuotaVariables = { readonly [Quota in TokenQuota as (typeof SETTINGS)[Quota]]?: string };

const WORDS: Readonly<Record<TokenQuota, string>> = {
  hosts: "names of hosts",
  links: "links and streams open",
  queues: "queues",
  ecosystems: "ecosystems of its own",
  dead_letters: "dead letters",
  log_megabytes: "megabytes in the log of today",
};

/** What frees something. */
const REMEDIES: Readonly<Record<TokenQuota, string>> = {
  hosts: "Release names that are not used (ganglion hosts <host> --release), give hosts tokens of their own",
  links: "Close some, wait until others have ended, give hosts tokens of their own",
  queues: "Delete queues that are not used (ganglion queues delete), use queues that there are",
  dead_letters: "Replay or discard some",
  log_megabytes: "Send less, wait for the next day (UTC)",
  ecosystems: "Delete ecosystems that are not used (ganglion ecosystem delete), use ecosystems that there are",
};

/** How many a token may have. A variable that is no whole number from 1 on counts as missing. */
export function quotaOf(quota: TokenQuota, variables: QuotaVariables): number {
  const text = variables[SETTINGS[quota]];
  const asked = text === undefined || text === "" ? TOKEN_QUOTAS[quota] : Number(text);
  return Number.isSafeInteger(asked) && asked >= 1 ? asked : TOKEN_QUOTAS[quota];
}

/** How the status names a quota that was exceeded. */
export const limitOf = (quota: TokenQuota, limit: number): Pick<Excess, "quota" | "limit" | "setting"> => ({
  quota,
  limit,
  setting: SETTINGS[quota],
});

/** When a refusal may have passed, in seconds; `undefined`: not by itself. */
export const retryAfterOf = (quota: TokenQuota): number | undefined =>
  quota === "links" || quota === "log_megabytes" ? 60 : undefined;

/** Refuses what a token has enough of. Nothing was made. */
export function overQuota(quota: TokenQuota, limit: number): Problem {
  const detail = `The token has ${limit} ${WORDS[quota]}, as many as it may have. ${REMEDIES[quota]}, or raise ${SETTINGS[quota]}.`;
  return problem("over-quota", 429, "The token has as many as it may have", detail, {
    quota,
    limit,
    ...(retryAfterOf(quota) === undefined ? {} : { retry_after_ms: 60_000 }),
  });
}
