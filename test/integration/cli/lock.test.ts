import { beforeAll, describe, expect, it } from "vitest";
import type { Client } from "../../../src/client/client.ts";
import { eventually } from "../../harness/eventually.ts";
import { type RunningEdge, runEdge } from "../../harness/running-edge.ts";
import { start } from "./ganglion-process.ts";

let edge: RunningEdge;
let client: Client;
beforeAll(async () => {
  edge = await runEdge();
  client = edge.client();
});

const run = (...args: string[]) =>
  start(["lock", "run", ...args], { env: { GANGLION_URL: edge.url, GANGLION_TOKEN: edge.token } });
const heldBy = async (name: string) => (await client.locks.list({ name })).locks.map(({ owner }) => owner);

describe("ganglion lock run", () => {
  it("tells the command what it holds, passes its output and exit code on, and releases the lock", async () => {
    const { finished } = run(
      "a",
      "--owner",
      "me",
      "--",
      "sh",
      "-c",
      'echo "$GANGLION_LOCK_NAME $GANGLION_LOCK_OWNER"; exit 7',
    );
    expect(await finished).toMatchObject({ code: 7, out: "a me\n" });
    expect(await heldBy("a")).toEqual([]);
  });

  it("gives 128 and the number of the signal that ended the command, and passes signals on", async () => {
    const command = run("b", "--", "sh", "-c", "echo began >&2; sleep 1000 & wait");
    await command.remark(/^began$/);
    expect(await heldBy("b")).toHaveLength(1);
    command.kill("SIGTERM");
    expect(await command.finished).toMatchObject({ code: 143 });
    expect(await heldBy("b")).toEqual([]);
  });

  it("waits for the lock, says for whom, and runs when it is free", async () => {
    const { fence } = await held("c", "somebody");
    const waiting = run("c", "--owner", "me", "--", "echo", "done");
    await waiting.remark(/^waits for the lock c, which somebody holds since /);
    await eventually(async () => expect((await client.locks.list({ name: "c" })).waits_total).toBe(1));
    await client.locks.release("c", fence);
    expect(await waiting.finished).toMatchObject({ code: 0, out: "done\n" });
  });

  it("leaves the order of those who wait soon after it was killed", async () => {
    await held("d", "somebody");
    const waiting = run("d", "--", "true");
    await eventually(async () => expect((await client.locks.list({ name: "d" })).waits_total).toBe(1));
    waiting.kill("SIGKILL");
    await eventually(async () => expect((await client.locks.list({ name: "d" })).waits_total).toBe(0));
  });

  it("does not run the command where the lock is not to be had in time", async () => {
    await held("e", "somebody");
    expect(await run("e", "--wait", "0", "--", "echo", "ran").finished).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("somebody holds e since"),
    });
  });

  it("renews the lock while the command runs, far beyond its TTL", async () => {
    const command = run("f", "--ttl", "2s", "--owner", "me", "--", "sh", "-c", "echo began >&2; sleep 5");
    await command.remark(/^began$/);
    const [began] = (await client.locks.list({ name: "f" })).locks;
    expect(began).toMatchObject({ owner: "me", ttl_ms: 2_000 });
    // More than twice its TTL: a lock that was not renewed would have ended the command.
    expect(await command.finished).toMatchObject({ code: 0 });
  });

  it("ends the command when the lock is lost, and what it has started, too", async () => {
    const command = run(
      "g",
      "--ttl",
      "600ms",
      "--",
      "sh",
      "-c",
      "trap 'echo ended >&2; exit 0' TERM; echo began >&2; sleep 1000 & wait",
    );
    await command.remark(/^began$/);
    const ended = command.remark(/^ended$/);
    const [lock] = (await client.locks.list({ name: "g" })).locks;
    await client.locks.release("g", lock?.fence ?? 0);
    await ended;
    expect(await command.finished).toMatchObject({ code: 1, err: expect.stringContaining("the lock g is lost") });
  });
});

describe("a request that waits for a lock", () => {
  it("is out of the order at the end of its time at the latest where its sender broke the connection, and has not got the lock", async () => {
    const { fence } = await held("h", "somebody");
    const leaving = new AbortController();
    const first = client.locks.acquire(
      "h",
      { owner: "first", ttl_ms: 60_000, mode: "exclusive", wait_ms: 3_000 },
      leaving.signal,
    );
    const lost = expect(first).rejects.toThrow();
    await eventually(async () => expect((await client.locks.list({ name: "h" })).waits_total).toBe(1));
    leaving.abort();
    await lost;
    await eventually(async () => expect((await client.locks.list({ name: "h" })).waits_total).toBe(0));
    await client.locks.release("h", fence);
    expect(
      await client.locks.acquire("h", { owner: "second", ttl_ms: 60_000, mode: "exclusive", wait_ms: 0 }),
    ).toMatchObject({ held: true });
  });
});

describe("work under a lock", () => {
  it("is done by one at a time, whatever else wants it, under fences that rise", async () => {
    let inside = 0;
    const fences: number[] = [];
    await Promise.all(
      Array.from({ length: 8 }, (_, place) =>
        client.locks.withLock("i", { owner: `w${place}`, ttlMs: 30_000 }, async ({ fence }) => {
          expect(++inside).toBe(1);
          fences.push(fence);
          await client.locks.list();
          inside--;
        }),
      ),
    );
    expect(fences).toEqual(fences.toSorted((one, other) => one - other));
    expect(new Set(fences).size).toBe(8);
  });

  it("learns by its signal that the lock is lost, and of the end that its caller asks for", async () => {
    const asking = new AbortController();
    const options = { owner: "me", ttlMs: 600, signal: asking.signal };
    await client.locks.withLock("j", options, async ({ fence, signal }) => {
      await client.locks.release("j", fence);
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      expect(signal.reason).toMatchObject({ name: "LockLost" });
    });
    await client.locks.withLock("j", options, ({ signal }) => {
      asking.abort(new Error("enough"));
      expect(signal.reason).toMatchObject({ message: "enough" });
    });
  });
});

async function held(name: string, owner: string) {
  const answer = await client.locks.acquire(name, { owner, ttl_ms: 600_000, mode: "exclusive", wait_ms: 0 });
  if (!answer.held) throw new Error(`held by ${answer.holder}`);
  return answer;
}
