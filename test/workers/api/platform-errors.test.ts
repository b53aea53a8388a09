import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { platformFailure } from "../../../src/core/problem/platform-failure.ts";
import { answer } from "../../../src/workers/answer.ts";
import type { Environment } from "../../../src/workers/bindings/environment.ts";
import { problemOf } from "./calls.ts";

const real = env as unknown as Environment;
const marked = (message: string, marks: object) => Object.assign(new Error(message), marks);
const RESET = marked("Durable Object's isolate exceeded its memory limit and was reset.", { remote: true });

/** The edge, whose dead letters fail in the first calls with these errors, and work after them. */
function failingEdge(...errors: Error[]) {
  let calls = 0;
  const DEAD_LETTERS = new Proxy(real.DEAD_LETTERS, {
    get: (target, key) => {
      if (key !== "get") return Reflect.get(target, key).bind(target);
      return (...args: Parameters<typeof target.get>) => {
        const error = errors[calls++];
        const fail = () => Promise.reject(error);
        return error === undefined ? target.get(...args) : { list: fail, discard: fail };
      };
    },
  });
  return {
    get calls() {
      return calls;
    },
    ask: (method: string, path = "/v1/default/dead-letters") =>
      answer(
        new Request(`https://edge.test${path}`, { method, headers: { Authorization: "Bearer the-administrator" } }),
        { ...real, DEAD_LETTERS },
        createExecutionContext(),
      ),
  };
}

describe("a call under which the platform restarts an object", () => {
  it("is tried once more where it changes nothing, and nobody notices", async () => {
    const edge = failingEdge(RESET);
    expect((await edge.ask("GET")).status).toBe(200);
    expect(edge.calls).toBe(2);
  });

  it("is answered 503 with the time to wait where it fails twice", async () => {
    const edge = failingEdge(RESET, RESET);
    const answered = await edge.ask("GET");
    expect(answered.headers.get("retry-after")).toBe("1");
    expect(await problemOf(answered)).toMatchObject({ status: 503, type: "/problems/object-reset" });
    expect(edge.calls).toBe(2);
  });

  it("is left to its caller where it changes something", async () => {
    const edge = failingEdge(RESET);
    const answered = await edge.ask("DELETE", "/v1/default/dead-letters/x");
    expect(await problemOf(answered)).toMatchObject({ status: 503, type: "/problems/object-reset" });
    expect(edge.calls).toBe(1);
  });
});

describe("a call of an overloaded object", () => {
  it("is answered 503 and not tried again", async () => {
    const edge = failingEdge(marked("too many", { overloaded: true, remote: true }));
    expect(await problemOf(await edge.ask("GET"))).toMatchObject({ status: 503, type: "/problems/overloaded" });
    expect(edge.calls).toBe(1);
  });
});

describe("a call of a method that the object does not have yet", () => {
  it("fails with words by which the platform is recognised, and is answered 503", async () => {
    const object = real.DEAD_LETTERS.get(real.DEAD_LETTERS.idFromName("default"));
    const newer = object as unknown as { comesLater(): Promise<void> };
    const error = await newer.comesLater().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(platformFailure(error)?.kind).toBe("version-skew");
    const edge = failingEdge(...([error, error] as Error[]));
    const answered = await edge.ask("GET");
    expect(answered.headers.get("retry-after")).toBe("5");
    expect(await problemOf(answered)).toMatchObject({ status: 503, type: "/problems/version-skew" });
  });
});

describe("a call that meets a defect of an object", () => {
  it("is answered 500, not tried again, and logged", async () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const edge = failingEdge(marked("Cannot read properties of undefined", { remote: true }));
    expect((await problemOf(await edge.ask("GET"))).status).toBe(500);
    expect([edge.calls, logged.mock.calls.length]).toEqual([1, 1]);
    logged.mockRestore();
  });
});
