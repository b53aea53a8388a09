import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { objectNamed } from "../../../src/durable-objects/shell/ports.ts";
import { app } from "../../../src/workers/app.ts";
import type { Environment } from "../../../src/workers/bindings/environment.ts";
import { problemOf } from "../api/calls.ts";

const real = env as unknown as Environment;
const ping = (placed: object) => objectNamed(real.DIRECTORY, "directory", placed).ping();
const ask = (path: string, variables: object) =>
  app.request(path, { headers: { Authorization: "Bearer the-administrator" } }, { ...real, ...variables });

describe("an object that is found by its name", () => {
  it("has the id that it always had, without variables and with a location hint", () => {
    const id = String(real.DIRECTORY.idFromName("directory"));
    for (const placed of [{}, { LOCATION_HINT: "", JURISDICTION: "" }, { LOCATION_HINT: "weur" }])
      expect(String(objectNamed(real.DIRECTORY, "directory", placed).id)).toBe(id);
  });

  it("is made near the hint, within the jurisdiction", () => {
    const calls: unknown[] = [];
    const noted = <Answer>(call: unknown[], answer: Answer): Answer => {
      calls.push(call);
      return answer;
    };
    const namespace = {
      idFromName: (name: string) => noted(["id", name], name),
      get: (id: string, options: object) => noted(["get", id, options], {}),
      jurisdiction: (name: string): object => noted(["within", name], namespace),
    };
    objectNamed(namespace as unknown as Environment["DIRECTORY"], "a", { LOCATION_HINT: "weur", JURISDICTION: "eu" });
    expect(calls).toEqual([
      ["within", "eu"],
      ["id", "a"],
      ["get", "a", { locationHint: "weur" }],
    ]);
  });

  it("answers with a location hint and with none", async () => {
    expect([await ping({}), await ping({ LOCATION_HINT: "apac" })]).toEqual([true, true]);
  });
});

describe("a placement that does not exist", () => {
  it.each([[{ LOCATION_HINT: "europe" }], [{ JURISDICTION: "moon" }]])(
    "is reported by calls and by readyz, and makes no object: %j",
    async (variables) => {
      const refused = await problemOf(await ask("/v1/default/status", variables));
      expect(refused).toMatchObject({ status: 503, type: "/problems/misconfigured" });
      expect(refused.detail).toContain(Object.keys(variables)[0]);
      const ready = await problemOf(await ask("/readyz", variables));
      expect([ready.type, ready.detail]).toEqual(["/problems/not-ready", refused.detail]);
    },
  );
});
