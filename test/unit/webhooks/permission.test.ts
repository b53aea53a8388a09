import { describe, expect, it } from "vitest";
import {
  type HandshakeAnswer,
  paceOf,
  permissionOf,
  readHandshake,
  requestHeaders,
} from "../../../src/core/webhooks/permission.ts";
import type { EndpointSettings } from "../../../src/core/webhooks/settings.ts";

const settings: EndpointSettings = { handshake: true, edge: "https://edge.example.org" };
const DAY_MS = 86_400_000;
const answer = (more: Partial<HandshakeAnswer>): HandshakeAnswer => ({
  status: 200,
  retryAfter: null,
  allowedOrigin: null,
  allowedRate: null,
  ...more,
});

describe("the question whether an endpoint takes messages", () => {
  it("is asked in the name of the edge", () => {
    expect(requestHeaders(settings)).toMatchObject({ "WebHook-Request-Origin": "edge.example.org" });
  });

  it.each<[Partial<HandshakeAnswer>, number | null]>([
    [{ allowedOrigin: "*" }, null],
    [{ allowedOrigin: "Edge.Example.org", allowedRate: "120" }, 120],
    [{ allowedOrigin: "other.org, edge.example.org", allowedRate: "*" }, null],
    [{ allowedOrigin: "*", allowedRate: "0" }, null],
  ])("is answered with a permission by %j", (given, rate) => {
    expect(readHandshake(answer(given), settings, 7)).toEqual({ rate, at_ms: 7 });
  });

  it.each<[Partial<HandshakeAnswer>, object]>([
    [{}, { error: expect.stringContaining("does not allow messages of edge.example.org") }],
    [{ allowedOrigin: "other.org" }, { error: expect.stringContaining("does not name it") }],
    [{ status: 405, allowedOrigin: "*" }, { error: expect.stringContaining("answered 405") }],
    [
      { status: 429, retryAfter: "60" },
      { status: 429, retryAfter: "60" },
    ],
    [{ status: 410 }, { status: 410, retryAfter: null }],
  ])("is answered with a refusal by %j", (given, refusal) => {
    expect(readHandshake(answer(given), settings, 7)).toEqual(refusal);
  });

  it("is asked again after a day, and the pace is that of the permission until then", () => {
    const allowed = { ...settings, permission: { rate: 120, at_ms: 0 } };
    expect([permissionOf(allowed, DAY_MS - 1), paceOf(allowed, DAY_MS - 1)]).toEqual([allowed.permission, 500]);
    expect([permissionOf(allowed, DAY_MS), paceOf(allowed, DAY_MS)]).toEqual([undefined, "alone"]);
    expect(paceOf({}, 0)).toBeUndefined();
  });
});
