import { describe, expect, test } from "vitest";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem, post } from "../api/calls.ts";
import { aTask, openChannel, queueOver } from "./queue-under-test.ts";

describe("queue that is named together with its ecosystem", () => {
  test("is that of the ecosystem, whichever the path begins with", async () => {
    const [a, b] = [freshEcosystem(), freshEcosystem()];
    const named = `/v1/${a}/queues/${b}%2Fjobs`;
    expect((await post(`${named}/tasks`, aTask({ task_id: "x/1" }))).status).toBe(202);
    expect((await queueOver(b, "jobs").lease("coder")).map(({ task_id }) => task_id)).toEqual(["x/1"]);
    expect(await (await call(`${named}/tasks/x%2F1`)).json()).toMatchObject({ task_id: "x/1", status: "running" });
    expect((await call(`/v1/${a}/queues/jobs`)).status).toBe(404);
    expect((await call(`/v1/${a}/queues/${b}%2fjobs`)).status).toBe(200);
  });

  test("takes calls, which its own responders answer", async () => {
    const [a, b] = [freshEcosystem(), freshEcosystem()];
    const body = { recipient: "coder", type: "ASK", payload: 1, timeout_ms: 20_000 };
    const reply = post(`/v1/${a}/queues/${b}%2Fjobs/calls`, body);
    const [task] = await queueOver(b, "jobs").lease("coder", { wait_ms: 15_000 });
    await queueOver(b, "jobs").act(task?.task_id ?? "", "complete", { lease_id: task?.lease_id, result: { n: 2 } });
    expect(await (await reply).json()).toMatchObject({ result: { n: 2 } });
  });

  test("asks for the rights of the token there, and for none in the ecosystem of the path", async () => {
    const [a, b] = [freshEcosystem(), freshEcosystem()];
    const [here, there] = [await makeToken(a, ["tasks:write"]), await makeToken(b, ["tasks:write"])];
    const put = (token: string, q: string) => post(`/v1/${a}/queues/${b}%2F${q}/tasks`, aTask(), { token });
    expect((await put(here.token, "jobs")).status).toBe(403);
    expect((await put(there.token, "jobs")).status).toBe(202);
    expect((await put(there.token, "hosts")).status).toBe(403);
    expect((await put(there.token, "a%2Fb")).status).toBe(403);
  });

  test("opens its channel", async () => {
    const [a, b] = [freshEcosystem(), freshEcosystem()];
    await queueOver(b, "jobs").put(aTask());
    const channel = await openChannel(a, "w1", `${b}%2Fjobs`);
    channel.send({ type: "ready", recipient: "coder", credit: 1 });
    expect((await channel.next("tasks")).tasks).toHaveLength(1);
  });
});
