import { runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { signalLine } from "../../../src/core/signals/signal-line.ts";
import { ObservationStore } from "../../../src/durable-objects/introspection/observation-store.ts";
import { freshEcosystem } from "../api/calls.ts";
import { anObservation, observationsOf } from "../log-under-test.ts";

const AT = "2026-01-01T00:00:00.000Z";

test("observations of one read that take three megabytes are stored in rows that the platform takes, each with its sender", () =>
  runInDurableObject(observationsOf(freshEcosystem()), (cache) => {
    const { sql } = cache as unknown as { readonly sql: SqlStorage };
    const store = new ObservationStore(sql);
    const observation = anObservation("r", { text: "x".repeat(1_400) });
    const lines = Array.from({ length: 2_000 }, (_, n) => signalLine(n + 1, `i${n}`, observation, "e", AT, AT));
    store.add(lines, 2_500, 0, [
      ["token:a", 1, 700],
      ["token:b", 701, 2_000],
    ]);
    const stored = [...store.lines(0)];
    expect(stored.map(({ line }) => line)).toEqual(lines);
    expect(stored.flatMap(({ sender }, place) => (sender === "token:b" ? [place] : [])).slice(0, 1)).toEqual([700]);
    expect(new Set(stored.map(({ sender }) => sender))).toEqual(new Set(["token:a", "token:b"]));
    const { rows, largest } = sql
      .exec<{ rows: number; largest: number }>(
        "SELECT COUNT(*) AS rows, MAX(LENGTH(body)) AS largest FROM segments_1 WHERE last_seq <= 2500",
      )
      .one();
    expect([rows, largest <= 600_000]).toEqual([6, true]);
  }));
