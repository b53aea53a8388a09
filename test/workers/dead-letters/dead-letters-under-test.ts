import type { DeadLetter, DeadLetterRecord } from "../../../src/core/dead-letters/dead-letter.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { deadLettersOf } from "../log-under-test.ts";

type Room = ReturnType<typeof deadLettersOf> & { record(letters: readonly DeadLetterRecord[]): Promise<void> };

/** The dead letters of an ecosystem, as people and as the components that give up see them. */
export function deadLettersUnderTest(ecosystem = freshEcosystem()) {
  const base = `/v1/${ecosystem}/dead-letters`;
  const stub = () => deadLettersOf(ecosystem) as Room;
  const json = async <Body>(response: Promise<Response>) => (await (await response).json()) as Body;
  return {
    ecosystem,
    base,
    stub,
    record: (...letters: DeadLetterRecord[]) => stub().record(letters),
    list: async (query = "") => (await json<{ dead_letters: DeadLetter[] }>(call(`${base}${query}`))).dead_letters,
    page: (query: string) => json<{ dead_letters: DeadLetter[]; next: string | null }>(call(`${base}${query}`)),
    show: (id: string) => json<DeadLetter>(call(`${base}/${encodeURIComponent(id)}`)),
    replay: (id: string, body?: object) =>
      body === undefined
        ? call(`${base}/${encodeURIComponent(id)}/replay`, { method: "POST" })
        : post(`${base}/${encodeURIComponent(id)}/replay`, body),
    discard: (id: string) => call(`${base}/${encodeURIComponent(id)}`, { method: "DELETE" }),
    bulk: <Answer>(action: "replay" | "discard", body: object) => json<Answer>(post(`${base}/${action}`, body)),
  };
}

/** A signal of a link that the log refused. */
export const refusedSignal = (id: string, signal: unknown = { signal: "Q_X", source: "h", facts: { n: 1 } }) => ({
  id,
  kind: "signal" as const,
  signal,
  error: "/signals/0/facts: bad",
  daemon: "link/gpu-01",
});
