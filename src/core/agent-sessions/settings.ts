import * as z from "zod";
import { LIMIT_NAME, LIMIT_RULE } from "../limits/name.ts";
import type { SessionLimits } from "./verdict.ts";

/** A week: sessions that were not seen for so long are forgotten. */
const MAX_SECONDS = 7 * 86_400;

const DESCRIPTIONS = {
  waiting_seconds: "How long a session may wait for a person before Q_SESSION_WAITING",
  frozen_seconds: "Longest silence of a session at work before Q_SESSION_FROZEN",
  tool_seconds: "The same within a call of a tool",
} as const;

const seconds = (name: keyof typeof DESCRIPTIONS) =>
  z.number().positive().max(MAX_SECONDS).meta({ description: DESCRIPTIONS[name] });

const Seconds = z.object({
  waiting_seconds: seconds("waiting_seconds"),
  frozen_seconds: seconds("frozen_seconds"),
  tool_seconds: seconds("tool_seconds"),
});

/** Models whose use by sessions is charged to a limit. */
const Feed = z.strictObject({
  models: z.string().min(1).max(128).meta({
    description: "Names of the models, as the sessions report them; * stands for any characters",
    example: "claude-*",
  }),
  limit: z
    .string()
    .regex(LIMIT_NAME, { message: LIMIT_RULE })
    .meta({ description: "The limit that their use is charged to" }),
});
export type Feed = Readonly<z.infer<typeof Feed>>;
const Feeds = z.array(Feed).max(20).readonly();
const FEEDS = "Which limits the use of models by sessions is charged to: the first that fits counts";

/** How long sessions of an ecosystem may wait and be silent, and what their use is charged to. */
export const SessionSettings = Seconds.extend({
  feeds: Feeds.meta({ description: FEEDS }),
  deployment: Seconds.meta({ description: "What holds where the ecosystem has no value of its own" }),
});
export type SessionSettings = Readonly<z.infer<typeof SessionSettings>>;

const own = (name: keyof typeof DESCRIPTIONS) =>
  seconds(name)
    .nullable()
    .optional()
    .meta({ description: `${DESCRIPTIONS[name]}; null: as the deployment says` });

/** Settings that are not named stay as they are. */
export const SessionSettingsChange = z.strictObject({
  waiting_seconds: own("waiting_seconds"),
  frozen_seconds: own("frozen_seconds"),
  tool_seconds: own("tool_seconds"),
  feeds: Feeds.nullable()
    .optional()
    .meta({ description: `${FEEDS}; null: to none` }),
});
export type SessionSettingsChange = Readonly<z.infer<typeof SessionSettingsChange>>;

/** Values of the ecosystem's own, as they are stored. */
export const OwnSessionSettings = Seconds.extend({ feeds: Feeds }).partial();
export type OwnSessionSettings = Readonly<z.infer<typeof OwnSessionSettings>>;

/** The ecosystem's own values after a change. */
export function changedSettings(before: OwnSessionSettings, change: SessionSettingsChange): OwnSessionSettings {
  const all = Object.entries({ ...before, ...change });
  return OwnSessionSettings.parse(Object.fromEntries(all.filter(([, value]) => value !== null && value !== undefined)));
}

export function limitsBy(own: OwnSessionSettings, deployment: SessionLimits): SessionLimits {
  const ms = (value: number | undefined, otherwise: number) => (value === undefined ? otherwise : value * 1_000);
  return {
    waitingMs: ms(own.waiting_seconds, deployment.waitingMs),
    frozenMs: ms(own.frozen_seconds, deployment.frozenMs),
    toolMs: ms(own.tool_seconds, deployment.toolMs),
  };
}

export function settingsView(
  limits: SessionLimits,
  feeds: readonly Feed[],
  deployment: SessionLimits,
): SessionSettings {
  return { ...inSeconds(limits), feeds, deployment: inSeconds(deployment) };
}

const inSeconds = ({ waitingMs, frozenMs, toolMs }: SessionLimits) => ({
  waiting_seconds: waitingMs / 1_000,
  frozen_seconds: frozenMs / 1_000,
  tool_seconds: toolMs / 1_000,
});
