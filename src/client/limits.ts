import type * as z from "zod";
import {
  type CloseRequest,
  Limit,
  LimitPage,
  ReserveAnswer,
  type ReserveRequest,
  SettleAnswer,
  type SettleRequest,
} from "../core/limits/api.ts";
import type { LimitInput } from "../core/limits/settings.ts";
import { NoAnswer } from "./answers/no-answer.ts";
import { EdgeUnreachable } from "./http/problem-errors.ts";
import type { CallEdge } from "./http/request.ts";
import { type Held, HeldReservation, LimitRefused } from "./limits/held.ts";
import type { HostHold } from "./limits/host-hold.ts";
import { LimitShare, type ShareOptions } from "./limits/limit-share.ts";
import { Settlements } from "./limits/settlements.ts";

/** A part of a limit that is asked for. */
type Reserve = z.input<typeof ReserveRequest>;
type Settle = z.input<typeof SettleRequest>;

export interface WithOptions {
  /** How long to wait until it is granted, in milliseconds; default 60,000. */
  readonly patienceMs?: number;
  /** What to do where no edge answers; default: as the limit said last (`when_away`), `open` where it never did. */
  readonly whenAway?: "open" | "closed";
  readonly signal?: AbortSignal;
}

/** One request waits for so long at most; added to it is time for the network. */
const WAIT_MS = 25_000;
const NETWORK_MS = 5_000;

interface Calls {
  readonly call: CallEdge;
  readonly withRetries: <Answer>(attempt: () => Promise<Answer>) => Promise<Answer>;
  readonly inside: (path: string) => string;
  /** The local agent, which may hold shares for this process; absent: it is not asked. */
  readonly agent?: ((settlements: Settlements) => HostHold) | undefined;
}

type Work<Answer> = (held: Held) => Promise<Answer>;
type ReserveOnce = (request: Reserve, signal: AbortSignal | undefined) => Promise<ReserveAnswer>;

/** No local agent answers. */
class NoAgent extends Error {}

/** Calls about what may be asked of providers. */
export function limitCalls({ call, withRetries, inside, agent }: Calls) {
  const at = (name: string, path = "") => inside(`/limits/${encodeURIComponent(name)}${path}`);
  const said = new Map<string, "open" | "closed">();

  const reserve = async (name: string, request: Reserve = {}, signal?: AbortSignal): Promise<ReserveAnswer> => {
    const timeoutMs = (request.wait_ms ?? 0) + NETWORK_MS;
    const answer = await call(ReserveAnswer, {
      method: "POST",
      path: at(name, "/reserve"),
      body: request,
      timeoutMs,
      signal,
    });
    if (answer.when_away !== undefined) said.set(name, answer.when_away);
    return answer;
  };
  const settle = (name: string, request: Settle): Promise<SettleAnswer> =>
    withRetries(() => call(SettleAnswer, { method: "POST", path: at(name, "/settle"), body: request }));

  const settlements = new Settlements(settle);
  let host: HostHold | undefined;

  /** Asks until it is granted, or patience ends. */
  const granted = async (name: string, once: ReserveOnce, request: Reserve, options: WithOptions) => {
    const untilMs = Date.now() + (options.patienceMs ?? 60_000);
    let wait_ms = 0;
    for (;;) {
      const answer = await once({ ...request, wait_ms }, options.signal);
      if (answer.granted) return answer;
      // What is closed for longer than anybody waits here is said at once.
      const isLater = answer.closed_until !== undefined && Date.parse(answer.closed_until) > untilMs;
      if (isLater || answer.final === true || Date.now() >= untilMs) throw new LimitRefused(name, answer);
      // The first request does not wait: what is closed for long is to be said at once.
      wait_ms = Math.max(1, Math.min(WAIT_MS, untilMs - Date.now()));
    }
  };

  const working = async <Answer>(held: HeldReservation, work: Work<Answer>, end: () => Promise<unknown>) => {
    try {
      return await work(held);
    } finally {
      await end();
    }
  };

  /** The same out of the share of this machine. @returns `undefined`: no agent answers, and nothing was done */
  const throughAgent = async <Answer>(name: string, request: Reserve, work: Work<Answer>, options: WithOptions) => {
    host ??= agent?.(settlements);
    if (host === undefined) return undefined;
    const hold = host;
    const id = `h-${crypto.randomUUID()}`;
    let reservation: ReserveAnswer;
    try {
      reservation = await granted(
        name,
        async (asked, signal) => {
          const answer = await hold.reserve(id, name, asked, options.whenAway, signal);
          if (answer === undefined) throw new NoAgent();
          if (answer.away === true && !answer.granted) throw hold.unreachable();
          return answer;
        },
        request,
        options,
      );
    } catch (error) {
      if (error instanceof NoAgent) return undefined;
      throw error;
    }
    const { amounts = {}, agent: of, task, chain, model } = request;
    const held = new HeldReservation(reservation.reservation ?? id, amounts);
    const expiresAtMs = reservation.expires_at === undefined ? undefined : Date.parse(reservation.expires_at);
    const end = () => hold.settle(name, { ...held.settlement, agent: of, task, chain, model }, amounts, expiresAtMs);
    return { answer: await working(held, work, end) };
  };

  /**
   * Reserves, does the work, and settles: what the work says that it used, or all that was reserved. Where no edge answers it
   * goes on without a reservation or fails, as the limit's `when_away` says; what was used then counts when an edge answers.
   * Where a local agent of the same edge runs on this machine, it answers out of the share that it holds.
   *
   * @throws LimitRefused where nothing is granted in time, EdgeUnreachable where no edge answers and the limit is `closed` then
   */
  const alone = async <Answer>(
    name: string,
    request: Reserve,
    work: Work<Answer>,
    options: WithOptions = {},
  ): Promise<Answer> => {
    const done = await throughAgent(name, request, work, options);
    if (done !== undefined) return done.answer;
    let reservation: string;
    try {
      const once: ReserveOnce = (asked, signal) => reserve(name, asked, signal);
      reservation = (await granted(name, once, request, options)).reservation ?? "";
    } catch (error) {
      const whenAway = options.whenAway ?? said.get(name) ?? "open";
      if (!(error instanceof EdgeUnreachable) || whenAway === "closed") throw error;
      reservation = `away-${crypto.randomUUID()}`;
    }
    const held = new HeldReservation(reservation, request.amounts ?? {});
    const { agent: of, task, chain, model } = request;
    return await working(held, work, () =>
      settlements.send(name, { ...held.settlement, agent: of, task, chain, model }),
    );
  };

  return {
    /** All limits, by name. */
    list: async () => (await call(LimitPage, { path: inside("/limits") })).limits,
    show: (name: string) => call(Limit, { path: at(name) }),
    /** Makes the limit, or replaces its settings; what is used and held stays. */
    put: (name: string, settings: LimitInput) => call(Limit, { method: "PUT", path: at(name), body: settings }),
    remove: (name: string) => call(NoAnswer, { method: "DELETE", path: at(name) }),
    /** Asks once, and waits `wait_ms` for it. Settle what is granted: see {@link settle}. */
    reserve,
    /** Says what was really used. The same settlement again changes nothing. */
    settle,
    /** Closes the limit for all. */
    close: (name: string, request: Partial<z.input<typeof CloseRequest>> = {}) =>
      call(Limit, { method: "POST", path: at(name, "/close"), body: request }),
    /** Opens a closed limit at once, and wholly. */
    open: (name: string) => call(Limit, { method: "POST", path: at(name, "/open") }),
    with: alone,
    /**
     * A share of the limit that this process gives to its calls: `share.with(amounts, work)` costs no request while it has room.
     * Close it at the end. Where a local agent of the same edge runs on this machine, its share is used in the place of one of
     * this process.
     */
    share: (name: string, options: ShareOptions) =>
      new LimitShare(options, {
        reserve: (request) => reserve(name, request),
        settle: (request) => settlements.send(name, request),
        alone: (request, work) => alone(name, request, work),
        throughAgent: (request, work) => throughAgent(name, request, work, {}),
      }),
  };
}
