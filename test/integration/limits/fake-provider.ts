import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { atEnd } from "../../harness/cleanup.ts";

interface ProviderLimits {
  readonly requestsPerMinute: number;
  /** Requests that it answers at a time. */
  readonly atATime: number;
  /** The most that a request costs. */
  readonly usd: number;
  /** After so many answers somebody else uses the account up, for so long. */
  readonly blockAfter: number;
  readonly blockMs: number;
}

/** A provider of models that counts what it is asked for, wherever its minute begins, and answers 429 beyond its limits. */
export async function runFakeProvider({ requestsPerMinute, atATime, usd, blockAfter, blockMs }: ProviderLimits) {
  const answers: { readonly status: 200 | 429; readonly why?: string }[] = [];
  const taken: number[] = [];
  let [spentNanos, working, blockedUntilMs] = [0, 0, 0];
  const refusal = (nowMs: number): { why: string; freeMs: number } | undefined => {
    while ((taken[0] ?? nowMs) <= nowMs - 60_000) taken.shift();
    if (blockedUntilMs === 0 && answers.length >= blockAfter) blockedUntilMs = nowMs + blockMs;
    if (nowMs < blockedUntilMs) return { why: "used up", freeMs: blockedUntilMs };
    if (working >= atATime) return { why: "at a time", freeMs: nowMs + 1_000 };
    return taken.length < requestsPerMinute ? undefined : { why: "minute", freeMs: (taken[0] ?? 0) + 60_000 };
  };
  const server = createServer(async (request, response) => {
    request.resume();
    const nowMs = Date.now();
    const refused = refusal(nowMs);
    if (refused !== undefined) {
      answers.push({ status: 429, why: refused.why });
      const seconds = Math.ceil((refused.freeMs - nowMs) / 1_000);
      response.writeHead(429, { "Content-Type": "application/json", "Retry-After": String(seconds) });
      return response.end(JSON.stringify({ cost: 0 }));
    }
    taken.push(nowMs);
    working++;
    // What a request costs is known when it is done: between half of the most and all of it.
    const nanos = Math.round(usd * 1e9 * (0.5 + 0.5 * Math.random()));
    await pause(5 + 15 * Math.random());
    working--;
    spentNanos += nanos;
    answers.push({ status: 200 });
    response.writeHead(200, { "Content-Type": "application/json" });
    return response.end(JSON.stringify({ cost: nanos / 1e9 }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  atEnd(() => {
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    answers,
    get spentUsd() {
      return spentNanos / 1e9;
    },
  };
}
