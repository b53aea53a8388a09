import { describe, expect, test } from "vitest";
import { changeWords } from "../../../dashboard/access/change-words.ts";

describe("what somebody did", () => {
  test.each([
    ["PUT", "/v1/{eco}/policies/{id}", "/v1/default/policies/disk-full", "put policies disk-full"],
    ["PATCH", "/v1/{eco}/queues/{q}", "/v1/default/queues/builds", "changed queues builds"],
    ["DELETE", "/v1/tokens/{id}", "/v1/tokens/abc", "deleted tokens abc"],
    [
      "POST",
      "/v1/{eco}/dead-letters/{id}/replay",
      "/v1/default/dead-letters/a%2Fb/replay",
      "replayed dead-letters a/b",
    ],
    ["POST", "/v1/{eco}/queues/{q}/tasks/{id}/cancel", "/v1/x/queues/q/tasks/t/cancel", "cancelled queues q tasks t"],
    ["POST", "/v1/tokens", "/v1/tokens", "added tokens"],
  ])("is said in words: %s %s", (method, operation, target, words) => {
    expect(changeWords({ method, operation, target })).toBe(words);
  });
});
