import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { app } from "../../../src/workers/app.ts";
import { ADMIN, freshEcosystem } from "./calls.ts";

/** A call of an edge with the setting, as a page of `origin` makes it. */
function fromPage(CORS_ORIGINS: string | undefined, origin: string, path: string, init: RequestInit = {}) {
  const headers = { Origin: origin, Authorization: `Bearer ${ADMIN}`, ...(init.headers as Record<string, string>) };
  const request = new Request(`https://edge.test${path}`, { ...init, headers });
  return Promise.resolve(
    app.fetch(request, { ...env, ...(CORS_ORIGINS && { CORS_ORIGINS }) }, createExecutionContext()),
  );
}

const preflight = (setting: string | undefined, origin: string) =>
  fromPage(setting, origin, "/v1/default/signals", {
    method: "OPTIONS",
    headers: {
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "authorization,content-type",
    },
  });

const PAGE = "https://console.example";

describe("the calls of a browser's page", () => {
  it("are not allowed where no origin is set, and the refusal names the setting", async () => {
    const answer = await preflight(undefined, PAGE);
    expect(answer.status).toBe(405);
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    expect(await answer.text()).toContain("CORS_ORIGINS");
    const call = await fromPage(undefined, PAGE, "/healthz");
    expect([...call.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  it.each(["https://other.example, https://console.example/", "HTTPS://Console.Example"])(
    "are allowed where the origins are %s",
    async (setting) => {
      const answer = await preflight(setting, PAGE);
      expect(answer.status).toBe(204);
      expect(answer.headers.get("access-control-allow-origin")).toBe(PAGE);
      expect(answer.headers.get("access-control-allow-methods")).toContain("POST");
      expect(answer.headers.get("access-control-allow-headers")?.toLowerCase()).toContain("authorization");
      expect(answer.headers.get("vary")).toContain("Origin");
    },
  );

  it("are refused where the page is of another origin", async () => {
    const answer = await preflight("https://other.example", PAGE);
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([405, null]);
  });

  it("are allowed from everywhere by *, and never with credentials", async () => {
    const answer = await preflight("*", PAGE);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
  });

  it("get readable answers, refusals and streams included", async () => {
    const eco = freshEcosystem();
    const paths = [`/v1/${eco}/signals`, `/v1/${eco}/signals/none`, "/v2/nothing", `/v1/${eco}/signals/stream`];
    for (const path of paths) {
      const answer = await fromPage(PAGE, PAGE, path);
      expect(answer.headers.get("access-control-allow-origin"), path).toBe(PAGE);
      expect(answer.headers.get("access-control-expose-headers")).toContain("Retry-After");
      await answer.body?.cancel();
    }
  });

  it("keep an upgraded connection as it is", async () => {
    const answer = await fromPage("*", PAGE, `/v1/${freshEcosystem()}/signals/stream`, {
      headers: { Upgrade: "websocket" },
    });
    expect(answer.status).toBe(101);
    answer.webSocket?.accept();
    answer.webSocket?.close();
  });
});
