import type { Lineage } from "../../../src/core/lineage/api.ts";
import type { Decision } from "../../../src/core/policy/decision.ts";
import type { Signal } from "../../../src/core/signals/signal.ts";
import { call } from "../api/calls.ts";
import { allOf, logOf, policyOf } from "../log-under-test.ts";

/** A rule that forwards every signal of a name, as many as come. */
export const forwarding = (when: string, ecosystem: string, more: object = {}) => ({
  when,
  rate: { n: 1_000_000, per: "1m" },
  then: [{ forward: { ecosystem } }],
  ...more,
});

/** What came into an ecosystem from others. */
export const forwardedTo = async (eco: string): Promise<Signal[]> =>
  (await allOf(eco)).filter(({ via }) => via !== undefined);

export async function lineageOf(eco: string, id: string, token?: string): Promise<Lineage> {
  const answer = await call(`/v1/${eco}/signals/${id}/lineage`, token === undefined ? {} : { token });
  if (answer.status !== 200) throw new Error(await answer.text());
  return answer.json();
}

export async function decisionsOf(eco: string, rule: string): Promise<Decision[]> {
  const answer = await call(`/v1/${eco}/decisions?rule=${rule}&limit=100`);
  return ((await answer.json()) as { decisions: Decision[] }).decisions;
}

/** Has the rules decide on everything that the log holds now. */
export const decide = async (eco: string): Promise<void> => {
  await policyOf(eco).catchUp((await logOf(eco).status()).head_seq);
};
