import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { admitSchedule, SCHEDULE_NAME } from "../../../src/core/schedules/settings.ts";
import { newState } from "../../../src/core/schedules/state.ts";
import { scheduleView } from "../../../src/core/schedules/view.ts";
import { startEdge } from "../cli/fake-edge.ts";
import { ganglion } from "../cli/ganglion.ts";

const text = readFileSync(new URL("../../../docs/schedules.md", import.meta.url), "utf8");
const documents = [...text.matchAll(/<!-- schedule -->\n```json\n(.*?)```/gs)].map(([, block]) => block ?? "");
const commands = [...text.matchAll(/^ganglion (schedule.*?)(?:\s+#.*)?$/gm)].map(([, line]) => line ?? "");

/** Words of a command line, as a shell reads those of the document. */
const words = (line: string) =>
  [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? "");

/** Answers as the edge does, from settings that it has admitted. */
const edge = () =>
  startEdge(({ method, url: { pathname }, body }) => {
    const name = pathname.split("/")[4] ?? "nightly";
    expect(name).toMatch(SCHEDULE_NAME);
    const admitted = admitSchedule(method === "PUT" ? body : { every: "1h", limits: { late_start: "10m" } });
    if (!admitted.ok) return [422, { title: "invalid", errors: admitted.errors }];
    const view = scheduleView(name, admitted.settings, newState(0, false));
    if (pathname.endsWith("/schedules")) return [200, { schedules: [view], next: null }];
    return [200, method === "GET" && pathname.endsWith("/runs") ? { runs: [] } : view];
  });

describe("the guide to schedules", () => {
  it("shows settings that are admitted", () => {
    expect(documents).toHaveLength(3);
    for (const document of documents) expect(admitSchedule(JSON.parse(document))).toMatchObject({ ok: true });
  });

  it("shows commands that work, and that send what the document says beside them", async () => {
    const { url, received } = await edge();
    expect(commands.length).toBeGreaterThan(6);
    for (const line of commands) {
      const { code, err } = await ganglion([...words(line), "--url", url]);
      expect([line, code, err.replace("no run yet\n", "")]).toEqual([line, 0, ""]);
    }
    expect(received.find(({ method }) => method === "PUT")?.body).toEqual({
      ...JSON.parse(documents[0] ?? ""),
      limits: { late_start: "10m", late_finish: "2h" },
    });
  });

  it("names calls that the API has", () => {
    const routes = readFileSync(new URL("../../../src/workers/api/schedules/routes.ts", import.meta.url), "utf8");
    const named = [...text.matchAll(/\/v1\/(?:\{eco\}|default)(\/schedules[\w/]*)/g)].map(([, path = ""]) =>
      path.replace(/\/(nightly|offsite)/, "/{name}"),
    );
    expect(named.length).toBeGreaterThan(3);
    for (const path of named) expect(routes).toContain(`path: "/v1/{eco}${path}"`);
  });

  it("shows the next times of an expression in its zone, and says what is wrong with one", async () => {
    const { out, code } = await ganglion(["schedule", "next", "30 2 * * *", "--zone", "Europe/Berlin", "--count", "2"]);
    expect([code, out.split("\n")[0]]).toEqual([0, expect.stringMatching(/^UTC +Europe\/Berlin$/)]);
    const wrong = await ganglion(["schedule", "next", "30 2 * *"]);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining("give five fields")]);
  });
});
