import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { Question, QuestionPage } from "../../../src/core/questions/api.ts";
import { questions } from "../../../src/workers/bindings/objects.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";

/** Questions of one ecosystem, as callers see them, with a clock of their own. */
export function questionsOf(eco = freshEcosystem()) {
  const stub = () => questions(env, eco);
  const base = `/v1/${eco}/questions`;
  const read = async <Body>(response: Promise<Response>) => (await (await response).json()) as Body;
  const tryAsk = (more: object = {}, init: object = {}) =>
    post(base, { question: "Deploy?", recipient: "ops", options: ["yes", "no"], ...more }, init);
  return {
    eco,
    base,
    stub,
    tryAsk,
    async ask(more: object = {}): Promise<string> {
      const answer = await tryAsk(more);
      if (answer.status !== 201) throw new Error(await answer.text());
      return ((await answer.json()) as { id: string }).id;
    },
    show: (id: string, query = "") => read<Question>(call(`${base}/${id}${query}`)),
    list: (query = "", token?: string) =>
      read<QuestionPage>(call(`${base}${query}`, token === undefined ? {} : { token })),
    answer: (id: string, answer: unknown, init: object = {}) => post(`${base}/${id}/answer`, { answer }, init),
    signals: async (name: string) =>
      (
        await read<{ signals: { id: string; cause?: string; facts: Record<string, unknown> }[] }>(
          call(`/v1/${eco}/signals?signal=${name}`),
        )
      ).signals,
    /** Lets time pass, and the alarm of then fire. */
    async pass(ms: number): Promise<void> {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
      await runDurableObjectAlarm(stub());
    },
  };
}
