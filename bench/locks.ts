import { WebSocket } from "ws";
import { LOCK_PROTOCOL } from "../src/core/locks/lock-frames.ts";
import type { ReachedEdge } from "./edge-under-test.ts";
import { percentile, type Report, rounded } from "./figure.ts";
import { askJson } from "./http-client.ts";

const ROUNDS = 1_000;
const WARM_UP = 100;

interface Answer {
  readonly fence: number;
  readonly waits_total: number;
}
/** Acquires or releases a lock, over HTTP or over a channel. */
type Call = (name: string, action: "acquire" | "release", body: object) => Promise<Answer>;

/**
 * What a lock costs its owner: acquiring over HTTP and over a channel, alone and beside ten thousand others; and how soon a
 * waiter has it.
 */
export async function locks(edge: ReachedEdge, report: Report): Promise<void> {
  const http: Call = async (name, action, body) =>
    (await askJson(edge, "POST", `/v1/default/locks/${encodeURIComponent(name)}/${action}`, body)) as Answer;
  const channels = [await openChannel(edge), await openChannel(edge)] as const;
  const ways = [
    ["http", { first: http, second: http, acquireMs: 5 }],
    ["channel", { first: channels[0].call, second: channels[1].call, acquireMs: 1 }],
  ] as const;
  for (const [way, { first, second, acquireMs }] of ways) {
    await acquire(first, report, `acquire_${way}`, acquireMs);
    await handOver(edge, [first, second], report, `hand_over_${way}`);
  }
  for (let first = 0; first < 10_000; first += 100)
    await Promise.all(
      Array.from({ length: 100 }, (_, place) =>
        http(`idle-${first + place}`, "acquire", { owner: "idle", ttl_ms: 3_600_000 }),
      ),
    );
  for (const [way, { first, acquireMs }] of ways)
    await acquire(first, report, `acquire_${way}_beside_10000`, acquireMs);
  for (const { close } of channels) close();
}

async function acquire(call: Call, report: Report, figure: string, atMost: number): Promise<void> {
  const millis: number[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const started = performance.now();
    const { fence } = await call("port:8080", "acquire", { owner: "bench", ttl_ms: 60_000 });
    if (round >= WARM_UP) millis.push(performance.now() - started);
    await call("port:8080", "release", { fence });
  }
  report({
    bench: "locks",
    figure,
    value: rounded(percentile(millis, 0.5)),
    unit: "ms",
    target: { at_most: atMost },
    p99_ms: rounded(percentile(millis, 0.99)),
  });
}

/** From the release of a lock to its being in the hands of one that waits. */
async function handOver(edge: ReachedEdge, calls: readonly [Call, Call], report: Report, figure: string) {
  const millis: number[] = [];
  let { fence } = await calls[0]("hand-over", "acquire", { owner: "owner-0", ttl_ms: 60_000 });
  for (let round = 1; round <= 300; round++) {
    const [holder, waiter] = round % 2 === 1 ? calls : [calls[1], calls[0]];
    const waiting = waiter("hand-over", "acquire", { owner: `owner-${round}`, ttl_ms: 60_000, wait_ms: 10_000 });
    while (((await askJson(edge, "GET", "/v1/default/locks?limit=1")) as Answer).waits_total === 0);
    const started = performance.now();
    await holder("hand-over", "release", { fence });
    ({ fence } = await waiting);
    if (round > 30) millis.push(performance.now() - started);
  }
  report({
    bench: "locks",
    figure,
    value: rounded(percentile(millis, 0.5)),
    unit: "ms",
    target: { at_most: 10 },
    p99_ms: rounded(percentile(millis, 0.99)),
  });
  await calls[0]("hand-over", "release", { fence });
}

/** One end of a channel without the client library, so that a figure measures the edge and not the client. */
async function openChannel(edge: ReachedEdge): Promise<{ readonly call: Call; readonly close: () => void }> {
  const socket = new WebSocket(`${edge.url.replace("http", "ws")}/v1/default/locks/channel`, [LOCK_PROTOCOL], {
    perMessageDeflate: false,
    headers: { authorization: `Bearer ${edge.token}` },
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("error", reject);
  });
  const asked = new Map<string, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  socket.on("message", (data: Buffer) => {
    const frame = JSON.parse(data.toString());
    if (frame.type === "waiting") return;
    const one = asked.get(frame.id);
    asked.delete(frame.id);
    if (frame.type === "refused") one?.reject(new Error(JSON.stringify(frame.problem)));
    else one?.resolve(frame);
  });
  let ids = 0;
  const call: Call = (name, type, body) =>
    new Promise((resolve, reject) => {
      const id = String(++ids);
      asked.set(id, { resolve, reject });
      socket.send(JSON.stringify({ type, id, name, ...body }));
    });
  return { call, close: () => socket.terminate() };
}
