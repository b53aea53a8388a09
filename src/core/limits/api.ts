import * as z from "zod";
import { GivenTime, Timestamp } from "../signals/timestamp-schema.ts";
import { Amounts } from "./amounts.ts";
import { LimitInput } from "./settings.ts";

const Name = (what: string) => z.string().min(1).max(256).optional().meta({ description: what });

/** Longest time for which a reservation may be waited for. */
export const MAX_WAIT_MS = 30_000;

/** Longest time of a share: the minutes of a provider begin anew while it is held. */
const MAX_SHARE_SECONDS = 30;

/** Of whom a reservation is, or what was used: their budgets count it. */
export const SubjectFields = {
  agent: Name("The agent that uses it: its budgets count it"),
  task: Name("The task that it is used for"),
  chain: Name("The chain of causes that it is used for: a trace id, or the first task"),
  model: Name("The model, by whose prices tokens become dollars"),
};

/** How a reservation is given to several calls. */
const Share = z.strictObject({
  calls: z.int().min(1).max(1_000).meta({ description: "Calls at a time: as many count for the concurrency" }),
  seconds: z.int().min(1).max(MAX_SHARE_SECONDS).meta({ description: "It expires so long after it was granted" }),
  host: z.string().min(1).max(128).optional().meta({ description: "The host whose processes it is for, for people" }),
});
export type Share = Readonly<z.infer<typeof Share>>;

export const ReserveRequest = z.strictObject({
  amounts: Amounts.default({}),
  ...SubjectFields,
  share: Share.optional().meta({
    description:
      "Makes it a share: its holder gives it to several calls without asking again. What was used of it counts for a minute from its " +
      "settlement on",
  }),
  wait_ms: z.int().min(0).max(MAX_WAIT_MS).default(0).meta({
    description: "Waits up to this time until the amounts are granted, in the order in which callers came",
  }),
});
export type ReserveRequest = z.output<typeof ReserveRequest>;

export const ReserveAnswer = z.object({
  granted: z.boolean().meta({ description: "Whether the amounts are held for the caller" }),
  reservation: z.string().optional().meta({ description: "Settle it when it was used; absent: nothing was granted" }),
  expires_at: Timestamp.optional().meta({ description: "When its amounts come back, if it is not settled" }),
  why: z
    .enum([
      "closed",
      "probing",
      "concurrency",
      "requests_per_minute",
      "input_tokens_per_minute",
      "output_tokens_per_minute",
      "usd_per_day",
      "budget",
      "too_large",
    ])
    .optional()
    .meta({
      description:
        "What stood in the way. probing: it was closed, and one at a time may try; budget: a budget of its agent, task, chain or " +
        "ecosystem has too little left; too_large: it is more than the whole limit, and is never granted",
    }),
  budget: z.string().optional().meta({ description: "The budget that stood in the way" }),
  final: z.boolean().optional().meta({
    description:
      "Nothing that happens by itself will have it granted: waiting is in vain; absent: it may be granted later",
  }),
  detail: z.string().optional().meta({ description: "The same for people" }),
  closed_until: Timestamp.optional().meta({
    description: "When it would be granted, if nothing else happens; absent: that depends on other reservations",
  }),
  counts: z
    .array(z.enum(["agent", "task", "chain"]))
    .readonly()
    .optional()
    .meta({
      description: "Of a share: which names of its calls budgets count. Calls of others need shares of their own",
    }),
  when_away: z.enum(["open", "closed"]).optional().meta({
    description: "What to do where no edge answers, as the limit says: go on without a reservation, or wait",
  }),
});
export type ReserveAnswer = Readonly<z.infer<typeof ReserveAnswer>>;

const Reason = z.string().trim().min(1).max(500);
const Until = {
  until: GivenTime.optional().meta({ description: "When the provider takes requests again" }),
  retry_after_seconds: z.number().min(0).max(2_678_400).optional().meta({
    description:
      "The same, as the header Retry-After says it; without both: 30 s, twice as long each time it comes again",
  }),
};

export const SettleRequest = z.strictObject({
  reservation: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, {
    message: "give the reservation as it was granted",
  }),
  amounts: Amounts.optional().meta({ description: "What was really used; what is not named was used as reserved" }),
  outcome: z
    .strictObject({
      status: z.int().min(100).max(599).meta({ description: "What the provider answered" }),
      ...Until,
      reason: Reason.optional(),
    })
    .optional()
    .meta({ description: "429 and 529 close the limit for all" }),
  ...SubjectFields,
});
export type SettleRequest = z.output<typeof SettleRequest>;

export const SettleAnswer = z.object({
  reservation: z.string().meta({ description: "The reservation that was settled" }),
  state: z.enum(["settled", "repeated", "expired", "unknown"]).meta({
    description:
      "repeated: it was settled before, and nothing changed; expired, unknown: it held nothing any more, or was never granted " +
      "here; what was used counts all the same",
  }),
  closed_until: Timestamp.optional().meta({ description: "The limit is closed until then" }),
});
export type SettleAnswer = Readonly<z.infer<typeof SettleAnswer>>;

export const CloseRequest = z.strictObject({ ...Until, reason: Reason.default("closed by hand") });
export type CloseRequest = z.output<typeof CloseRequest>;

const Count = z.number();

/** A limit as it is. */
export const Limit = z.object({
  name: z.string().meta({ description: "Name of the limit" }),
  ...LimitInput.shape,
  state: z.enum(["open", "closed", "probing", "ramping"]).meta({
    description: "probing: it was closed, and one at a time tries; ramping: it grows to its whole again",
  }),
  closed_until: Timestamp.nullable().meta({ description: "Nobody is granted anything before; null: it is not closed" }),
  reason: z.string().nullable().meta({ description: "Why it is closed" }),
  parked: z.int().optional().meta({
    description:
      "Tasks that are parked for it, in the first 25 queues by name that have tasks with limits; absent: it is not closed",
  }),
  used: z
    .object({
      requests: Count.meta({ description: "Requests" }),
      input_tokens: Count.meta({ description: "Tokens that are sent" }),
      output_tokens: Count.meta({ description: "Tokens that come back" }),
    })
    .meta({ description: "In the last minute, what is reserved included" }),
  held: z.int().meta({ description: "Reservations that are not settled" }),
  shares: z
    .array(
      z.object({
        host: z.string().nullable().meta({ description: "The host; null: a process of its own" }),
        shares: z.int().meta({ description: "Shares that it holds" }),
        calls: z.int().meta({ description: "Calls at a time that they give room to" }),
        requests: Count.meta({ description: "Requests that they hold" }),
        usd: Count.meta({ description: "US dollars that they hold" }),
      }),
    )
    .readonly()
    .meta({ description: "Shares that are held, by host" }),
  spent_usd: Count.meta({ description: "Of the present day" }),
  held_usd: Count.meta({ description: "What reservations of the present day hold" }),
  created_at: Timestamp,
  changed_at: Timestamp,
});
export type Limit = Readonly<z.infer<typeof Limit>>;

export const LimitPage = z.object({ limits: z.array(Limit).readonly().meta({ description: "By name" }) });
export type LimitPage = Readonly<z.infer<typeof LimitPage>>;

/** A limit that is closed when attention is asked for. */
export const LimitFinding = z.object({
  limit: z.string(),
  until: Timestamp,
  since: Timestamp,
  reason: z.string(),
  signal: z.string().nullable(),
});
export type LimitFinding = Readonly<z.infer<typeof LimitFinding>>;
