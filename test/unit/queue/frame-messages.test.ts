import { describe, expect, it } from "vitest";
import { MAX_MESSAGE_BYTES, messagesOf } from "../../../src/core/queue/frame-messages.ts";
import { MAX_FRAME_BYTES, type OutgoingWorkerFrame } from "../../../src/core/queue/work-frames.ts";
import fc from "../../fast-check.ts";

const complete = (name: string, result: unknown): OutgoingWorkerFrame => ({
  type: "complete",
  tasks: [{ task_id: name, lease_id: `${name}.1`, result }],
});
const READY: OutgoingWorkerFrame = { type: "ready", recipient: "w", credit: 1 };

describe("messages of a worker's frames", () => {
  it("hold all frames of a turn in one message where they fit", () => {
    const frames = [READY, complete("a", 1), complete("b", 2)];
    const { messages, unsendable } = messagesOf(frames);
    expect([messages.map((text) => JSON.parse(text)), unsendable]).toEqual([[frames], []]);
  });

  it("hold every frame once and in order, and never more bytes than the queue takes, whatever the characters", () => {
    const units = ["x", "é", "€", "😀", '"', "\ud800"];
    const results = units.flatMap((unit) => [1, 20_000, 60_000, 150_000].map((length) => unit.repeat(length)));
    const place = fc.nat(results.length - 1);
    fc.assert(
      fc.property(fc.array(place, { maxLength: 20 }), (places) => {
        const frames = places.map((one, number) => complete(`t${number}`, results[one]));
        const { messages, unsendable } = messagesOf(frames);
        expect(messages.every((message) => Buffer.byteLength(message) <= MAX_MESSAGE_BYTES)).toBe(true);
        const sent = messages.flatMap((text) => JSON.parse(text) as OutgoingWorkerFrame[]);
        const left = new Set(unsendable.map((one) => one.frame));
        expect(JSON.stringify(sent) === JSON.stringify(frames.filter((one) => !left.has(one)))).toBe(true);
      }),
      { numRuns: 20 },
    );
    expect(MAX_MESSAGE_BYTES).toBeLessThan(MAX_FRAME_BYTES);
  });

  it("hold a thousand frames at most", () => {
    const { messages } = messagesOf(Array.from({ length: 2_001 }, () => READY));
    expect(messages.map((text) => (JSON.parse(text) as unknown[]).length)).toEqual([1_000, 1_000, 1]);
  });

  it("leave out a frame that can never be sent, with its reason, and keep its neighbours", () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const frames = [READY, complete("big", "x".repeat(1_200_000)), complete("odd", circular), complete("a", 1)];
    const { messages, unsendable } = messagesOf(frames);
    expect(messages.map((text) => JSON.parse(text))).toEqual([[READY, complete("a", 1)]]);
    expect(unsendable.map(({ frame, reason }) => [frame, reason])).toEqual([
      [frames[1], expect.stringMatching(/^is too large: 12000\d\d bytes of 1032192$/)],
      [frames[2], expect.stringContaining("is not JSON: ")],
    ]);
  });
});
