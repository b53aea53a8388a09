import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { Attention } from "../../../src/core/attention/api.ts";
import type { LockAcquisition, LockHeld, LockNotHeld, LockPage } from "../../../src/core/locks/api.ts";
import { locks } from "../../../src/workers/bindings/objects.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";

type Asked = Partial<LockAcquisition> & { readonly token?: string; readonly key?: string };

/** The locks of one ecosystem, as callers see them, with a clock of their own. */
export function locksOf(eco = freshEcosystem()) {
  const stub = () => locks(env, eco);
  const at = (name: string, action: string) => `/v1/${eco}/locks/${encodeURIComponent(name)}/${action}`;
  const act = (name: string, action: string, body: object, token?: string) =>
    post(at(name, action), body, token === undefined ? {} : { token });
  const tryAcquire = (name: string, owner: string, { token, key, ...more }: Asked = {}) =>
    post(
      at(name, "acquire"),
      { owner, ttl_ms: 60_000, ...more },
      { ...(token && { token }), ...(key && { headers: { "Idempotency-Key": key } }) },
    );
  const acquire = async (name: string, owner: string, more: Asked = {}) => {
    const answer = await tryAcquire(name, owner, more);
    if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as LockHeld | LockNotHeld;
  };
  const read = async <Body>(path: string) => (await (await call(`/v1/${eco}${path}`)).json()) as Body;
  return {
    eco,
    stub,
    act,
    tryAcquire,
    acquire,
    /** @throws where somebody else holds it */
    fence: async (name: string, owner: string, more: Asked = {}) => {
      const answer = await acquire(name, owner, more);
      if (!answer.held) throw new Error(`held by ${answer.holder}`);
      return answer.fence;
    },
    release: (name: string, fence: number) => act(name, "release", { fence }),
    renew: (name: string, fence: number, ttl_ms = 60_000) => act(name, "renew", { fence, ttl_ms }),
    list: (query = "") => read<LockPage>(`/locks${query}`),
    attention: () => read<Attention>("/attention"),
    signals: async (name: string) =>
      (await read<{ signals: { facts: Record<string, unknown> }[] }>(`/signals?signal=${name}&limit=1000`)).signals,
    /** Lets time pass, and the alarm of then fire. */
    async pass(ms: number): Promise<void> {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
      await runDurableObjectAlarm(stub());
    },
    evict: () => evictDurableObject(stub()),
  };
}
