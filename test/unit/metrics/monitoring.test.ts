import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../local-edge/paths.ts";
import { withFamilies } from "../../../scripts/monitoring/families-table.ts";
import { MONITORING_FILES } from "../../../scripts/monitoring/files.ts";
import { ALERTS } from "../../../scripts/monitoring/rules.ts";
import { VERSION } from "../../../src/workers/api/deployment/version.ts";

const read = (path: string) => readFileSync(join(PROJECT_ROOT, path), "utf8");

interface Dashboard {
  readonly uid: string;
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly datasource?: object;
    readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly refId: string; readonly datasource: object }[];
  }[];
}

describe("what deploy/ has for Prometheus and Grafana", () => {
  it.each(Object.entries(MONITORING_FILES))("is what the builder makes: %s", (path, text) => {
    expect(read(path)).toBe(text);
  });

  it("is documented: the table of families is made from theirs, and each alert has an entry in the runbook", () => {
    const page = read("docs/metrics.md");
    expect(withFamilies(page)).toBe(page);
    const entries = [...read("docs/runbook.md").matchAll(/^## (\w+)\n\n(.+\n)+\nFirst: .+\n\nFix: /gm)];
    expect(entries.map(([, name]) => name).sort()).toEqual(ALERTS.map(({ name }) => name).sort());
  });

  const dashboards = Object.entries(MONITORING_FILES)
    .filter(([path]) => path.startsWith("deploy/grafana/"))
    .map(([path, text]): [string, Dashboard] => [path, JSON.parse(text)]);

  it.each(dashboards)(
    "has panels with ids, places and units of their own, and a data source that is chosen: %s",
    (_, board) => {
      const { templating, panels } = board;
      expect(templating.list.map(({ name, type }) => [name, type])).toContainEqual(["datasource", "datasource"]);
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, n) => `${x + (n % w)} ${y + Math.floor(n / w)}`),
      );
      expect(new Set(cells).size).toBe(cells.length);
      for (const { type, title, datasource, fieldConfig, targets = [] } of panels) {
        if (type === "row") continue;
        expect([title, fieldConfig?.defaults.unit]).toEqual([title, expect.stringMatching(/^\w+$/)]);
        for (const source of [datasource, ...targets.map((target) => target.datasource)])
          expect(source).toEqual({ type: "prometheus", uid: "$datasource" });
        expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
        expect(targets.length).toBeGreaterThan(0);
      }
    },
  );

  it("has dashboards with uids of their own", () => {
    expect(new Set(dashboards.map(([, { uid }]) => uid)).size).toBe(dashboards.length);
  });
});

describe("the version of the edge", () => {
  it("is that of package.json", () => {
    expect(VERSION).toBe((JSON.parse(read("package.json")) as { version: string }).version);
  });
});
