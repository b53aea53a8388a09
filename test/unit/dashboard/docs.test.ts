import { describe, expect, test } from "vitest";
import { hasWords, requestOf } from "../../../dashboard/docs/request.ts";

const GET = { method: "GET", path: "/v1/{eco}/signals/{id}", token: "" };

describe("the form of a call", () => {
  test("sends what was typed where it belongs, and leaves out what was not", () => {
    const fields = [
      { name: "eco", in: "path", value: "default" },
      { name: "id", in: "path", value: "a/b c" },
      { name: "source", in: "query", value: "team/alice" },
      { name: "limit", in: "query", value: "" },
      { name: "If-None-Match", in: "header", value: 'W/"1"' },
    ];
    expect(requestOf({ ...GET, fields })).toEqual({
      url: "/v1/default/signals/a%2Fb%20c?source=team%2Falice",
      method: "GET",
      headers: { "If-None-Match": 'W/"1"', "Ganglion-Session": "1" },
    });
  });

  test("sends a token in place of the session, and a body under its type", () => {
    const body = { type: "application/json", text: "{}" };
    expect(requestOf({ method: "POST", path: "/v1/tokens", fields: [], body, token: "gl_1" })).toEqual({
      url: "/v1/tokens",
      method: "POST",
      headers: { Authorization: "Bearer gl_1", "Content-Type": "application/json" },
      body: "{}",
    });
  });

  test("says which part of the path is missing", () => {
    expect(requestOf({ ...GET, fields: [{ name: "eco", in: "path", value: "default" }] })).toContain("Give id");
  });
});

describe("the search of the API's page", () => {
  test("finds every word, in any order and case", () => {
    expect(hasWords("POST /v1/{eco}/signals Emit one signal", "SIGNAL post")).toBe(true);
    expect(hasWords("POST /v1/{eco}/signals Emit one signal", "signal delete")).toBe(false);
    expect(hasWords("anything", "")).toBe(true);
  });
});
