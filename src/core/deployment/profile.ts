import { PLANS, type Plan } from "../billing/prices.ts";
import type { TokenBucketOptions } from "../group-commit/token-bucket.ts";
import type { LinkPace } from "../wire/link-frames.ts";
import { oneOf } from "./placement.ts";

/** Variable of the deployment that says for which plan of Cloudflare's it is made. */
export interface ProfileVariable {
  /**
   * `free`: everything that costs happens more rarely, so that twenty hosts fit into the free plan. `local`: nothing is
   * billed, so nothing waits to be cheaper; the default on one machine. Default on Cloudflare: `paid`.
   */
  readonly PROFILE?: string;
  /** `off`: no object reports its state for scrapes of metrics, so none stays awake or makes a request for it. Default: `on`. */
  readonly METRICS?: string;
}

/** How long what costs waits for company. */
export interface Pace {
  /** After this long every projection is notified how far the log reaches, whatever the queue did meanwhile. */
  readonly nudgeMs: number;
  /** Messages with observations: so many soon one after the other, and then at a rate. Each is an invocation and three operations. */
  readonly observations: TokenBucketOptions;
  /** Groups that a log writes under a steady flow, a row each; absent: without waiting. */
  readonly groups?: TokenBucketOptions;
  /** What hosts are told when they link; absent: nothing, and they send at once. */
  readonly links?: LinkPace;
  /** How long a relay of links gathers appends after the first of a burst; 0: only while another is on its way. */
  readonly relayedMs: number;
  /** When an object reports its state to the directory, for those who scrape metrics. */
  readonly reports: ReportPace;
}

/** An object that changes reports so soon, and so often at most. */
export interface ReportPace {
  readonly gatherMs: number;
  readonly everyMs: number;
  /**
   * A timer that waits for `everyMs` keeps an object in memory, and is billed for all of that time: an object that rests has
   * an alarm instead, and one without alarms waits for no longer than this.
   */
  readonly longestTimerMs: number;
  /** Also where nobody scrapes. */
  readonly always: boolean;
}

const BILLED = {
  groups: { capacity: 200, perSecond: 20 },
  // Fifty hosts, as many as link to a log itself, then send it 333 frames a second at most, whatever their agents emit.
  links: { observations_ms: 400, others_ms: 150 },
  relayedMs: 50,
} as const satisfies Partial<Pace>;

/**
 * A report is a request and a row, and so is the alarm for it: 30 cents a month for an object that never rests, and nothing for
 * one that sleeps.
 */
const EVERY_20_S: ReportPace = { gatherMs: 100, everyMs: 20_000, longestTimerMs: 2_000, always: false };

const PACES = {
  paid: { ...BILLED, nudgeMs: 5_000, observations: { capacity: 25, perSecond: 1 }, reports: EVERY_20_S },
  // 10,000 operations a day are 3,333 messages.
  free: {
    ...BILLED,
    nudgeMs: 60_000,
    observations: { capacity: 5, perSecond: 1 / 60 },
    reports: { ...EVERY_20_S, everyMs: 60_000 },
  },
  local: {
    nudgeMs: 5_000,
    relayedMs: 0,
    observations: { capacity: 25, perSecond: 25 },
    reports: { gatherMs: 300, everyMs: 5_000, longestTimerMs: 5_000, always: true },
  },
} as const satisfies Readonly<Record<string, Pace>>;
type Profile = keyof typeof PACES;
const PROFILES: readonly Profile[] = [...PLANS, "local"];

/** @throws SettingError for a profile that does not exist */
export const readProfile = ({ PROFILE }: ProfileVariable): Profile => oneOf("PROFILE", PROFILE, PROFILES) ?? "paid";

/** A profile that does not exist is reported by `/readyz`; everything works on as with `paid` meanwhile. */
const profileOf = ({ PROFILE }: ProfileVariable): Profile => PROFILES.find((one) => one === PROFILE) ?? "paid";

/** @throws SettingError for another word than `on` or `off` */
export const readMetrics = ({ METRICS }: ProfileVariable): "on" | "off" =>
  oneOf("METRICS", METRICS, ["on", "off"]) ?? "on";

/** A word that is neither is reported by `/readyz`, and means `on`. */
export const reportsMetrics = ({ METRICS }: ProfileVariable): boolean => METRICS !== "off";

export const paceOf = (env: ProfileVariable): Pace => PACES[profileOf(env)];

/** The plan by which usage is priced: on one machine, what Cloudflare would ask for. */
export const planOf = (env: ProfileVariable): Plan => (profileOf(env) === "free" ? "free" : "paid");
