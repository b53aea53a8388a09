import { describe, expect, it } from "vitest";
import { linkPayload, readLink } from "../../../src/core/questions/link.ts";
import { admitQuestion } from "../../../src/core/questions/settings.ts";

const NOW = Date.UTC(2026, 0, 1);
const base = { question: "Deploy?", recipient: "ops" };
const admitted = (more: object) => {
  const admission = admitQuestion({ ...base, ...more }, NOW);
  return admission.ok ? admission.terms : admission.errors.map(({ pointer }) => pointer);
};

describe("a question that is asked", () => {
  it("expires by a time, a length of time, seconds since the epoch, or after seven days", () => {
    expect(admitted({ expires: "2h" })).toMatchObject({ expiresMs: NOW + 7_200_000 });
    expect(admitted({ expires: "2026-01-01T01:00:00Z" })).toMatchObject({ expiresMs: NOW + 3_600_000 });
    expect(admitted({ expires: NOW / 1_000 + 60 })).toMatchObject({ expiresMs: NOW + 60_000 });
    expect(admitted({})).toMatchObject({ expiresMs: NOW + 7 * 86_400_000 });
    for (const expires of ["soon", "2025-12-31T00:00:00Z", "91d", "500ms", -1])
      expect(admitted({ expires })).toEqual(["/expires"]);
  });

  it("takes silence for an answer where its asker says so, and one of the options alone", () => {
    expect(admitted({ options: ["yes", "no"] })).toMatchObject({ onTimeout: null });
    expect(admitted({ options: ["yes", "no"], on_timeout: "no" })).toMatchObject({ onTimeout: "no" });
    expect(admitted({ options: ["yes", "no"], on_timeout: "expire" })).toMatchObject({ onTimeout: null });
    expect(admitted({ options: ["keep", "expire"], on_timeout: "expire" })).toMatchObject({ onTimeout: "expire" });
    expect(admitted({ options: ["yes", "no"], on_timeout: "maybe" })).toEqual(["/on_timeout"]);
  });

  it("names each field that is wrong", () => {
    expect(admitted({ options: [] })).toEqual(["/options"]);
    expect(admitted({ options: ["a", "a"] })).toEqual(["/options"]);
    expect(admitted({ options: Array.from({ length: 21 }, (_, place) => `o${place}`) })).toEqual(["/options"]);
    expect(admitted({ context: "x".repeat(16_384) })).toEqual(["/context"]);
    expect(admitted({ question: "x".repeat(4_001) })).toEqual(["/question"]);
    expect(admitted({ remind_after: "8d" })).toEqual(["/remind_after"]);
    expect(admitted({ escalate_after: "1h" })).toEqual(["/escalate_to"]);
    expect(admitted({ escalate_to: "ops" })).toEqual(["/escalate_to"]);
    expect(admitted({ id: "a/b" })).toEqual(["/id"]);
    expect(admitted({ recipient: "a b" })).toEqual(["/recipient"]);
    expect(admitted({ urgent: true })).toEqual(["/urgent"]);
  });

  it("asks who is named next after half of its time, or when it says", () => {
    expect(admitted({ expires: "2h", escalate_to: "boss" })).toMatchObject({ escalateAtMs: NOW + 3_600_000 });
    expect(admitted({ expires: "2h", escalate_to: "boss", escalate_after: "10m" })).toMatchObject({
      escalateAtMs: NOW + 600_000,
    });
  });
});

describe("a link to a question", () => {
  it("is read as it was written, and nothing else is read as one", () => {
    const target = { question: "deploy-42", endpoint: "ops-chat", message: "reminded-7" };
    const payload = linkPayload(target);
    expect(readLink(`${payload}.AAAA`)).toMatchObject({ target, payload });
    for (const link of [
      "",
      ".",
      payload,
      `${payload}.`,
      `${payload}.A.B`,
      `${payload}.a b`,
      `e30.AAAA`,
      `WzFd.AAAA`,
      `${"A".repeat(1_025)}.AA`,
    ])
      expect(readLink(link), link.slice(0, 40)).toBeUndefined();
  });
});
