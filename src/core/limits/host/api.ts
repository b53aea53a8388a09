import * as z from "zod";
import { Timestamp } from "../../signals/timestamp-schema.ts";
import { Amounts } from "../amounts.ts";
import { ReserveAnswer, ReserveRequest, SettleAnswer, SettleRequest } from "../api.ts";
import { LIMIT_NAME, LIMIT_RULE } from "../name.ts";

/** Commands of the local agent's socket, with which processes of its host reserve and settle. */
export const HOST_RESERVE = "limit.reserve";
export const HOST_SETTLE = "limit.settle";
/** The command that says what the agent holds: {@link HostShareStatus}. */
export const HOST_LIMITS = "limit.status";

/** What a host's agent holds of limits, and what it has not told the edge. */
export const HostShareStatus = z.object({
  held: z
    .array(z.object({ limit: z.string(), blocks: z.int(), calls: z.int() }))
    .readonly()
    .meta({ description: "By limit: blocks that the edge granted, and calls that hold a part of them" }),
  unsent: z.int().meta({ description: "Settlements that the edge has not taken yet" }),
  refused: z.int().meta({ description: "Settlements that the edge refused, since the agent started" }),
  problem: z.string().optional().meta({ description: "Why the last settlement was not taken; absent: it was" }),
});
export type HostShareStatus = Readonly<z.infer<typeof HostShareStatus>>;

const Where = {
  /** Where the caller would reserve without the agent: the agent of another edge refuses. */
  url: z.string().max(2_048),
  ecosystem: z.string().max(64),
  limit: z.string().regex(LIMIT_NAME, LIMIT_RULE),
};
const { share: _, ...Reserve } = ReserveRequest.shape;

export const HostReserve = z.strictObject({
  ...Where,
  /** Made by the caller, new for each call, and the same where it asks again because no answer came. */
  id: z.string().regex(/^h-[A-Za-z0-9-]{8,64}$/, "give an id that begins with h-"),
  ...Reserve,
  /** What to do where no edge answers; absent: as the limit says. */
  when_away: z.enum(["open", "closed"]).optional(),
});
export type HostReserve = z.output<typeof HostReserve>;
export type HostReserveInput = z.input<typeof HostReserve>;

export const HostReserveAnswer = z.object({
  ...ReserveAnswer.shape,
  /** No edge answers, and the limit is `closed` then. */
  away: z.boolean().optional(),
});
export type HostReserveAnswer = Readonly<z.infer<typeof HostReserveAnswer>>;

export const HostSettle = z.strictObject({
  ...Where,
  ...SettleRequest.shape,
  /** What was reserved: it counts where the agent does not know the reservation, because it was started again. */
  reserved: Amounts.default({}),
});
export type HostSettle = z.output<typeof HostSettle>;
export type HostSettleInput = z.input<typeof HostSettle>;

export const HostSettleAnswer = z.object({
  ...SettleAnswer.shape,
  state: z.enum(["settled", "repeated", "expired", "unknown", "sent"]),
  closed_until: Timestamp.optional(),
});
export type HostSettleAnswer = Readonly<z.infer<typeof HostSettleAnswer>>;
