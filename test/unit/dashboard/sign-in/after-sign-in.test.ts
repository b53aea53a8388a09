import { describe, expect, it } from "vitest";
import { afterSignIn } from "../../../../dashboard/sign-in/after-sign-in.ts";

const origin = "https://edge.example";

describe("the page after signing in", () => {
  it.each([
    ["", "/app/"],
    ["?next=/app/queues/work?state=ready%26x=1%23row", "/app/queues/work?state=ready&x=1#row"],
    ["?next=https%3A%2F%2Fedge.example%2Fapp%2Fgaps", "/app/gaps"],
  ])("of %j is %s", (search, path) => expect(afterSignIn({ search, origin })).toBe(path));

  it.each([
    "https://evil.example/app/",
    "//evil.example/app/",
    "/\\evil.example/app/",
    "/app/../docs",
    "/v1/default/export",
    "javascript:alert(1)",
    "http://[",
  ])("is the first one, where %j would lead out of the dashboard", (next) => {
    expect(afterSignIn({ search: `?next=${encodeURIComponent(next)}`, origin })).toBe("/app/");
  });
});
