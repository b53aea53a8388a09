import { describe, expect, it } from "vitest";
import {
  batchesOf,
  fitting,
  MAX_REQUEST_BYTES,
  MAX_REQUEST_SPANS,
  spansOf,
} from "../../../src/core/telemetry/batches.ts";
import { type ExportProgress, healthOf, NOTHING_EXPORTED, settle } from "../../../src/core/telemetry/progress.ts";
import { outcomeOf, type ReceiverAnswer } from "../../../src/core/telemetry/receiver-answer.ts";
import { NewExport, requestHeaders, settingsOf, withoutSecrets } from "../../../src/core/telemetry/settings.ts";
import fc from "../../fast-check.ts";

const NOW = Date.UTC(2026, 0, 31, 12);
const answer = (status: number, body = "", retryAfter: string | null = null): ReceiverAnswer => ({
  status,
  body,
  retryAfter,
});

describe("an answer of a receiver", () => {
  it.each([
    [200, "taken"],
    [202, "taken"],
    [302, "later"],
    [400, "refused"],
    [401, "later"],
    [404, "later"],
    [413, "too_large"],
    [422, "refused"],
    [429, "later"],
    [500, "later"],
    [502, "later"],
    [503, "later"],
    [504, "later"],
  ])("%i means %s", (status, kind) => {
    expect(outcomeOf(answer(status), NOW).kind).toBe(kind);
  });

  it("counts rejected spans, as a text and as a number, and reads no other form of an answer", () => {
    const partial = (rejectedSpans: unknown) =>
      outcomeOf(answer(200, JSON.stringify({ partialSuccess: { rejectedSpans, errorMessage: "why" } })), NOW);
    expect(partial("3")).toEqual({ kind: "taken", rejected: 3, message: "why" });
    expect(partial(3)).toMatchObject({ rejected: 3 });
    expect(partial("many")).toMatchObject({ rejected: 0 });
    expect(outcomeOf(answer(200, "\x0a\x00"), NOW)).toMatchObject({ kind: "taken", rejected: 0 });
  });

  it("asks to come again after seconds or at a date, an hour at most", () => {
    const wait = (text: string) => outcomeOf(answer(503, "", text), NOW);
    expect(wait("7")).toMatchObject({ retryAfterMs: 7_000 });
    expect(wait(new Date(NOW + 9_000).toUTCString())).toMatchObject({ retryAfterMs: 9_000 });
    expect(wait("999999")).toMatchObject({ retryAfterMs: 3_600_000 });
    expect(wait("soon")).toMatchObject({ retryAfterMs: undefined });
  });
});

describe("the progress of an export", () => {
  const settledBy = (before: ExportProgress, given: ReceiverAnswer, spans = 10, nowMs = NOW) =>
    settle(before, outcomeOf(given, nowMs), spans, nowMs, 0.5);

  it("waits longer and longer for a receiver that fails, never less than it asked for, and a quarter of an hour at most", () => {
    let { progress } = settledBy(NOTHING_EXPORTED, answer(503));
    const waits = [progress.retry_ms - NOW];
    for (let n = 0; n < 12; n++) {
      ({ progress } = settledBy(progress, answer(503)));
      waits.push(progress.retry_ms - NOW);
    }
    expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(waits.at(-1)).toBe(900_000);
    expect(settledBy(NOTHING_EXPORTED, answer(429, "", "60")).progress.retry_ms).toBe(NOW + 60_000);
    expect(progress).toMatchObject({ failing_since_ms: NOW, dropped: 0 });
  });

  it("forgets the failures with the first request that is taken, and counts what was rejected of it", () => {
    const { progress: failing } = settledBy(NOTHING_EXPORTED, { error: "no connection" });
    const { progress, fate } = settledBy(failing, answer(200, '{"partialSuccess":{"rejectedSpans":"4"}}'), 10, NOW + 1);
    expect(fate).toBe("done");
    expect(healthOf(progress, 0)).toEqual({
      exported: 6,
      rejected: 4,
      dropped: 0,
      waiting: 0,
      last_success_at: new Date(NOW + 1).toISOString(),
      last_error: "the receiver rejected 4 of 10 spans",
    });
  });

  it("gives up a request that would be refused again, and counts its spans", () => {
    const { progress, fate } = settledBy(NOTHING_EXPORTED, answer(400));
    expect(fate).toBe("done");
    expect(progress).toMatchObject({ dropped: 10, retry_ms: 0 });
  });

  it("halves a request that is too large, down to one span", () => {
    expect(settledBy(NOTHING_EXPORTED, answer(413)).fate).toBe("split");
    expect(settledBy(NOTHING_EXPORTED, answer(413), 1)).toMatchObject({ fate: "done", progress: { dropped: 1 } });
  });

  it("gives up a request by which a receiver breaks again and again, but none for which it is not to blame", () => {
    const fates = (status: number) => {
      const found: string[] = [];
      let progress = NOTHING_EXPORTED;
      for (let n = 0; n < 8; n++) {
        const next = settledBy(progress, answer(status));
        progress = next.progress;
        found.push(next.fate);
      }
      return found;
    };
    expect(fates(500)).toEqual([...Array(7).fill("wait"), "done"]);
    expect(fates(401)).toEqual(Array(8).fill("wait"));
  });
});

describe("requests", () => {
  it("hold what waits, in order, and none more than receivers take", () => {
    const texts = fc.array(
      fc.string({ maxLength: 40 }).map((text) => JSON.stringify(text)),
      { maxLength: 1_500 },
    );
    fc.assert(
      fc.property(texts, fc.integer({ min: 0, max: 3 }), (spans, large) => {
        const all = [...spans, ...Array.from({ length: large }, () => `"${"ü".repeat(300_000)}"`)];
        const batches = batchesOf(all);
        expect(batches.flatMap(spansOf)).toEqual(all);
        for (const { spans: count, bytes, body } of batches) {
          expect(count).toBeLessThanOrEqual(MAX_REQUEST_SPANS);
          expect(bytes).toBeLessThanOrEqual(MAX_REQUEST_BYTES);
          expect(Buffer.byteLength(body)).toBeLessThanOrEqual(bytes);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("take small batches together, and at least one", () => {
    const batch = (spans: number, bytes = spans) => ({ spans, bytes });
    expect(fitting([batch(200), batch(200), batch(200)])).toBe(2);
    expect(fitting([batch(1, MAX_REQUEST_BYTES + 1), batch(1)])).toBe(1);
    expect(fitting([batch(1), batch(1)])).toBe(2);
    expect(fitting([])).toBe(0);
  });
});

describe("the settings of an export", () => {
  const settings = (input: object, before?: ReturnType<typeof settingsOf>) =>
    settingsOf(NewExport.parse(input), before);

  it.each([
    ["http://127.0.0.1:4318", null, "http://127.0.0.1:4318/v1/traces"],
    ["https://otel.example.org/", null, "https://otel.example.org/v1/traces"],
    ["https://otel.example.org/otlp", null, "https://otel.example.org/otlp/v1/traces"],
    ["https://otel.example.org/otlp/v1/traces", null, "https://otel.example.org/otlp/v1/traces"],
    ["https://lf.example.org", "langfuse", "https://lf.example.org/api/public/otel/v1/traces"],
    ["https://lf.example.org/api/public/otel", "langfuse", "https://lf.example.org/api/public/otel/v1/traces"],
    [undefined, "langfuse", "https://cloud.langfuse.com/api/public/otel/v1/traces"],
  ])("send what is named %s with the preset %s to %s", (endpoint, preset, url) => {
    expect(settings({ ...(endpoint === undefined ? {} : { endpoint }), preset }).url).toBe(url);
  });

  it("sign requests to Langfuse with both keys, and name the form of its ingestion", () => {
    const langfuse = settings({ preset: "langfuse", public_key: "pk-lf-1", secret_key: "sk-lf-2" });
    expect(requestHeaders(langfuse)).toMatchObject({
      Authorization: `Basic ${btoa("pk-lf-1:sk-lf-2")}`,
      "x-langfuse-ingestion-version": "4",
      "Content-Type": "application/json",
    });
  });

  it("keep headers that are left out where the URL stays, and never send them to another", () => {
    const before = settings({ endpoint: "https://a.example", headers: { Authorization: "Bearer hush" } });
    expect(settings({ endpoint: "https://a.example", payload: "all" }, before).headers).toEqual(before.headers);
    expect(settings({ endpoint: "https://b.example" }, before).headers).toEqual({});
    expect(settings({ endpoint: "https://a.example/other" }, before).headers).toEqual({});
    expect(settings({ endpoint: "https://a.example", headers: {} }, before).headers).toEqual({});
  });

  it.each([
    [{}, "endpoint"],
    [{ endpoint: "https://a.example", public_key: "a", secret_key: "b" }, "public_key"],
    [{ preset: "langfuse", public_key: "a" }, "secret_key"],
    [{ endpoint: "https://a.example", headers: { "Content-Type": "x" } }, "headers"],
    [{ endpoint: "https://a.example", headers: { a: "line\nbreak" } }, "headers"],
    [{ endpoint: "https://a.example", interval_ms: 10 }, "interval_ms"],
  ])("refuse %j at %s, and quote no value", (input, field) => {
    const parsed = NewExport.safeParse(input);
    expect(parsed.error?.issues.map(({ path }) => path[0])).toContain(field);
    expect(parsed.error?.message).not.toContain("line");
  });

  it("are taken out of what a receiver says: headers, their words, and the keys in them", () => {
    const { url, headers } = settings({
      endpoint: "https://a.example",
      headers: { Authorization: `Basic ${btoa("public-1:secret-2")}`, "x-key": "third-key" },
    });
    const said = `no: Basic ${btoa("public-1:secret-2")} third-key secret-2 public-1 and the rest`;
    const text = withoutSecrets(said, { url, headers });
    expect(text).not.toMatch(/secret-2|public-1|third-key/);
    expect(text).not.toContain(btoa("public-1:secret-2"));
    expect(text).toContain("and the rest");
  });
});
