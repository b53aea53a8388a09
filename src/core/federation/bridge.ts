import * as z from "zod";
import type { Policy, RuleBody } from "../policy/api.ts";
import { Expression } from "../policy/effect.ts";
import { Patterns } from "../policy/names.ts";
import { EcosystemName, SignalName } from "../signals/signal.ts";
import { Timestamp } from "../signals/timestamp-schema.ts";

export const BRIDGE_NAME = /^[a-z0-9][a-z0-9-]{0,55}$/;
export const BRIDGE_RULE = "a bridge's name starts with a letter or digit and holds a-z, 0-9 and - (56 at most)";

/** Rules whose ids begin so are the bridges of an ecosystem. */
const PREFIX = "bridge-";
export const ruleIdOf = (bridge: string): string => `${PREFIX}${bridge}`;

/** A bridge as people write it: which signals an ecosystem forwards to which other. */
export const BridgeInput = z.strictObject({
  to: EcosystemName,
  signals: Patterns,
  /** A CEL expression over the signal. Default: all of these names. */
  where: Expression.optional(),
  /** Name that the signals have there. Default: their own. */
  signal: SignalName.optional(),
  enabled: z.boolean().default(true),
  description: z.string().max(2_000).default(""),
});
export type BridgeInput = z.output<typeof BridgeInput>;

export const BridgeView = z.object({
  name: z.string(),
  to: z.string().meta({ description: "The ecosystem to which signals are forwarded" }),
  signals: z.array(z.string()).readonly().meta({ description: "Names or patterns of the signals" }),
  where: z.string().optional().meta({ description: "Condition over the signal; absent: all" }),
  signal: z.string().optional().meta({ description: "Name of the signals there; absent: their own" }),
  enabled: z.boolean(),
  description: z.string(),
  changed_at: Timestamp,
  changed_by: z.string().nullable(),
  waiting: z.int().meta({ description: "Signals of all rules that are on their way to that ecosystem" }),
});
export type BridgeView = Readonly<z.infer<typeof BridgeView>>;
export const Bridges = z.object({ bridges: z.array(BridgeView) });

/** Far above what one log takes in: the limits of hops and of depth end loops, and a bridge must not lose signals. */
const RATE = { n: 1_000_000, per: "1m" };

/** The rule that does what a bridge says. */
export function ruleOfBridge(name: string, { to, signals, where, signal, enabled, description }: BridgeInput) {
  return {
    id: ruleIdOf(name),
    description,
    enabled,
    when: signals,
    ...(where === undefined ? {} : { where }),
    rate: RATE,
    then: [{ forward: { ecosystem: to, ...(signal === undefined ? {} : { signal }) } }],
  };
}

/** @returns `undefined` where the rule is no bridge, or was changed into something else */
export function bridgeOf(policy: Policy, waiting: (ecosystem: string) => number): BridgeView | undefined {
  const { id, description, enabled, when, where, then, changed_at, changed_by } = policy;
  const [effect, ...more] = then;
  if (!id.startsWith(PREFIX) || effect?.forward === undefined || more.length > 0 || hasMore(policy)) return undefined;
  const { ecosystem: to, signal } = effect.forward;
  return {
    name: id.slice(PREFIX.length),
    to,
    signals: when,
    ...(where === undefined ? {} : { where }),
    ...(signal === undefined ? {} : { signal }),
    enabled,
    description,
    changed_at,
    changed_by,
    waiting: waiting(to),
  };
}

/** Conditions and effects that a bridge cannot show. */
const hasMore = ({
  at_least,
  cooldown,
  once_per,
  while_in_flight,
  near_duplicate,
  mute,
  share,
  ask,
  expect,
}: RuleBody) =>
  [at_least, cooldown, once_per, while_in_flight, near_duplicate, mute, share, ask, expect].some(
    (field) => field !== undefined,
  );
