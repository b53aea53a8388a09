import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { Attention } from "../../../src/core/attention/api.ts";
import type { Limit, ReserveAnswer, SettleAnswer } from "../../../src/core/limits/api.ts";
import { limits } from "../../../src/workers/bindings/objects.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";

/** The limits of one ecosystem, as callers see them. */
export function limitsOf(eco = freshEcosystem()) {
  const base = `/v1/${eco}/limits`;
  const read = async <Body>(response: Promise<Response>) => {
    const answer = await response;
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Body;
  };
  return {
    eco,
    base,
    stub: () => limits(env, eco),
    put: (settings: object, name = "api") => read<Limit>(post(`${base}/${name}`, settings, { method: "PUT" })),
    show: (name = "api") => read<Limit>(call(`${base}/${name}`)),
    list: async () => (await read<{ limits: Limit[] }>(call(base))).limits,
    reserve: (body: object = {}, name = "api") => read<ReserveAnswer>(post(`${base}/${name}/reserve`, body)),
    settle: (body: object, name = "api") => read<SettleAnswer>(post(`${base}/${name}/settle`, body)),
    close: (body: object = {}, name = "api") => read<Limit>(post(`${base}/${name}/close`, body)),
    open: (name = "api") => read<Limit>(call(`${base}/${name}/open`, { method: "POST" })),
    remove: (name = "api") => call(`${base}/${name}`, { method: "DELETE" }),
    attention: () => read<Attention>(call(`/v1/${eco}/attention`)),
    signals: async (name: string) =>
      (await read<{ signals: { facts: Record<string, unknown> }[] }>(call(`/v1/${eco}/signals?signal=${name}`)))
        .signals,
    /** Lets time pass, and the alarm of then fire. */
    async pass(ms: number): Promise<void> {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
      await runDurableObjectAlarm(limits(env, eco));
    },
  };
}
