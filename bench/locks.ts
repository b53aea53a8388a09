import { Agent, request } from "node:http";
import type { EdgeUnderTest } from "./edge-under-test.ts";
import { percentile, type Report, rounded } from "./figure.ts";

const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const ROUNDS = 1_000;
const WARM_UP = 100;

/** What a lock costs its owner: acquiring over HTTP, alone and beside ten thousand others; and how soon a waiter has it. */
export async function locks(edge: EdgeUnderTest, report: Report): Promise<void> {
  await acquire(edge, report, "acquire_http");
  await handOver(edge, report);
  for (let first = 0; first < 10_000; first += 100)
    await Promise.all(
      Array.from({ length: 100 }, (_, place) =>
        call(edge, `idle-${first + place}`, "acquire", { owner: "idle", ttl_ms: 3_600_000 }),
      ),
    );
  await acquire(edge, report, "acquire_http_beside_10000");
}

async function acquire(edge: EdgeUnderTest, report: Report, figure: string): Promise<void> {
  const millis: number[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP; round++) {
    const started = performance.now();
    const { fence } = await call(edge, "port:8080", "acquire", { owner: "bench", ttl_ms: 60_000 });
    if (round >= WARM_UP) millis.push(performance.now() - started);
    await call(edge, "port:8080", "release", { fence });
  }
  report({
    bench: "locks",
    figure,
    value: rounded(percentile(millis, 0.5)),
    unit: "ms",
    target: { at_most: 5 },
    p99_ms: rounded(percentile(millis, 0.99)),
  });
}

/** From the release of a lock to its being in the hands of one that waits. */
async function handOver(edge: EdgeUnderTest, report: Report): Promise<void> {
  const millis: number[] = [];
  let { fence } = await call(edge, "hand-over", "acquire", { owner: "owner-0", ttl_ms: 60_000 });
  for (let round = 1; round <= 300; round++) {
    const waiting = call(edge, "hand-over", "acquire", { owner: `owner-${round}`, ttl_ms: 60_000, wait_ms: 10_000 });
    while ((await listed(edge)) === 0);
    const started = performance.now();
    await call(edge, "hand-over", "release", { fence });
    ({ fence } = await waiting);
    if (round > 30) millis.push(performance.now() - started);
  }
  report({
    bench: "locks",
    figure: "hand_over_http",
    value: rounded(percentile(millis, 0.5)),
    unit: "ms",
    target: { at_most: 10 },
    p99_ms: rounded(percentile(millis, 0.99)),
  });
}

const listed = async (edge: EdgeUnderTest) => (await send(edge, "GET", "/locks?limit=1")).waits_total ?? 0;

interface Answer {
  readonly fence?: number;
  readonly waits_total?: number;
}

const call = (edge: EdgeUnderTest, name: string, action: string, body: object) =>
  send(edge, "POST", `/locks/${encodeURIComponent(name)}/${action}`, JSON.stringify(body));

function send({ url, token }: EdgeUnderTest, method: string, path: string, body = ""): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body !== "" && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
    };
    const asked = request(`${url}/v1/default${path}`, { method, agent, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.once("end", () => {
        const text = Buffer.concat(parts).toString();
        if (response.statusCode === 200) resolve(JSON.parse(text) as Answer);
        else reject(new Error(`the edge answered ${response.statusCode}: ${text}`));
      });
    });
    asked.once("error", reject);
    asked.end(body);
  });
}
