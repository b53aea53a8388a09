import { describe, expect, it } from "vitest";
import { readQueueMessage } from "../../../src/core/queue/read-queue-message.ts";

const types = (message: unknown) => readQueueMessage(JSON.stringify(message)).map(({ type }) => type);

describe("a message of a queue", () => {
  it("is a frame or an array of frames", () => {
    expect(types({ type: "tasks", tasks: [{ task_id: "a", lease_id: "1.1" }] })).toEqual(["tasks"]);
    expect(
      types([
        { type: "enqueued", batch: 1, tasks: [] },
        { type: "reply", correlation_id: "c", result: null },
        { type: "refused", batch: null, problem: { title: "no" } },
        { type: "done", tasks: [] },
      ]),
    ).toEqual(["enqueued", "reply", "refused", "done"]);
  });

  it("may hold frames of unknown types, which are left out", () => {
    expect(types([{ type: "dance" }, { type: "cancel", tasks: [] }, 7, null])).toEqual(["cancel"]);
  });

  it("may not hold a frame without the fields that handling needs: the frame is left out", () => {
    expect(types([{ type: "tasks" }, { type: "tasks", tasks: [{ task_id: "a" }] }, { type: "reply" }])).toEqual([]);
  });

  it("has to be JSON", () => {
    expect(() => readQueueMessage("<html>")).toThrow(SyntaxError);
  });
});
