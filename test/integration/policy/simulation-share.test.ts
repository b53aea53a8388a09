import { expect, test } from "vitest";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";

const LIST = Array.from({ length: 1_000 }, (_, index) => index);
/** Nearly as many steps on each signal as a rule may take. */
const COSTLY = `facts.list.all(a, ${Array.from({ length: 20 }, () => "a >= 0").join(" && ")})`;

function simulate(edge: RunningEdge, where: string, signal?: AbortSignal): Promise<Response> {
  const rule = {
    when: "X_LIST",
    where,
    then: [{ emit: { signal: "X_OUT", facts: {} } }],
    rate: { n: 9_999, per: "1m" },
  };
  return fetch(`${edge.url}/v1/default/policies/tried/simulate`, {
    method: "POST",
    headers: { Authorization: `Bearer ${edge.token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ since: "2026-01-01T00:00:00.000Z", rule }),
    ...(signal === undefined ? {} : { signal }),
  });
}

test("a simulation lets other requests go on meanwhile, and ends when its caller leaves", async () => {
  const edge = await runEdge();
  const { emit } = edge.client();
  for (let batch = 0; batch < 20; batch++) {
    await emit(Array.from({ length: 10 }, () => ({ signal: "X_LIST", source: "test", facts: { list: LIST } })));
  }
  let over = false;
  const whole = simulate(edge, COSTLY).finally(() => {
    over = true;
  });
  let meanwhile = 0;
  while (!over) {
    expect((await fetch(`${edge.url}/healthz`)).status).toBe(200);
    meanwhile++;
  }
  expect((await whole).status).toBe(200);
  expect(meanwhile).toBeGreaterThan(5);

  const leaving = new AbortController();
  const left = simulate(edge, COSTLY, leaving.signal);
  await expect.poll(async () => (await simulate(edge, "true")).status).toBe(429);
  leaving.abort();
  await expect(left).rejects.toThrow();
  // The turn of a simulation whose caller left is free again after some seconds: the simulation does not renew it.
  await expect.poll(async () => (await simulate(edge, "true")).status).toBe(200);
});
