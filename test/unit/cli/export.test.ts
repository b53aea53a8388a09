import { describe, expect, it } from "vitest";
import { NO_EXPORT, viewOf } from "../../../src/core/telemetry/api.ts";
import { healthOf, NOTHING_EXPORTED } from "../../../src/core/telemetry/progress.ts";
import { type ExportSettings, NewExport, settingsOf } from "../../../src/core/telemetry/settings.ts";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

const ENDPOINT = "https://otel.example";

/** Keeps the settings as the edge does. @param delivered - whether the receiver takes the span of a test */
async function edge(delivered = true) {
  let settings: ExportSettings | undefined;
  const fake = await startEdge(({ method, url: { pathname }, body }) => {
    if (pathname.endsWith("/test"))
      return [
        200,
        { delivered, status: delivered ? 200 : 401, answer: "{}", trace_id: "a".repeat(32), duration_ms: 3 },
      ];
    if (method === "DELETE") settings = undefined;
    if (method === "PUT") settings = settingsOf(NewExport.parse(body), settings);
    if (method === "DELETE") return [204, {}];
    return [200, settings === undefined ? NO_EXPORT : viewOf(settings, healthOf(NOTHING_EXPORTED, 7))];
  });
  return {
    run: (args: readonly string[], input?: string) =>
      ganglion(["export", ...args, "--url", fake.url], input === undefined ? {} : { input }),
    settings: () => settings,
  };
}

describe("ganglion export", () => {
  it("sets Langfuse with keys from the standard input, and never shows them", async () => {
    const { run, settings } = await edge();
    const { code, out, err } = await run(
      ["set", "--langfuse", "--keys-file", "-", "--interval", "30s"],
      "pk-1:sk-hush\n",
    );
    expect([code, `${out}${err}`.includes("sk-hush")]).toEqual([0, false]);
    expect(settings()).toMatchObject({
      url: "https://cloud.langfuse.com/api/public/otel/v1/traces",
      headers: { Authorization: `Basic ${btoa("pk-1:sk-hush")}` },
      interval_ms: 30_000,
      payload: "none",
    });
    expect(out).toMatch(/^waiting +7$/m);
  });

  it("sets a receiver with headers of a file, a payload and signals of reactions, and switches it off", async () => {
    const { run, settings } = await edge();
    const headers = "# of the collector\nAuthorization: Bearer hush\nX-Scope: a:b\n";
    await run(["set", ENDPOINT, "--headers-file", "-", "--payload", "keys", "--reactions", "Q_BUILD_*"], headers);
    expect(settings()).toMatchObject({
      headers: { Authorization: "Bearer hush", "X-Scope": "a:b" },
      payload: "keys",
      reactions: ["Q_BUILD_*"],
    });
    expect(JSON.parse((await run(["status", "--json"])).out)).toMatchObject({
      enabled: true,
      header_names: ["Authorization", "X-Scope"],
    });
    expect((await run(["off"])).code).toBe(0);
    expect((await run([])).out).toMatch(/export +off/);
  });

  it("names the line that is no header, and quotes nothing of it", async () => {
    const { run } = await edge();
    const { code, err } = await run(["set", ENDPOINT, "--headers-file", "-"], "A: b\nhush hush\n");
    expect([code, err.includes("line 2"), err.includes("hush")]).toEqual([2, true, false]);
    const keys = await run(["set", "--langfuse", "--keys-file", "-"], "hush\n");
    expect([keys.code, keys.err.includes("hush")]).toEqual([2, false]);
  });

  it("says what the receiver answered to a test, and fails where it did not take the span", async () => {
    const { run } = await edge();
    expect((await run(["test"])).out).toMatch(/^delivered +yes$/m);
    const refusing = await edge(false);
    const { code, out } = await refusing.run(["test", "--json"]);
    expect([code, JSON.parse(out)]).toMatchObject([1, { delivered: false, status: 401 }]);
  });
});
