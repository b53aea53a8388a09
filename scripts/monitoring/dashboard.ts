/** Units of panels that are used, by Grafana's names. */
export type PanelUnit = "short" | "s" | "bytes" | "percentunit" | "currencyUSD" | "cps" | "none";

/** A panel as it is written here: what it shows, of which unit, and how wide it is. */
export interface PanelSpec {
  readonly title: string;
  readonly kind: "stat" | "timeseries";
  readonly unit: PanelUnit;
  readonly help: string;
  /** By what the legend shows, such as `{{queue}}`. */
  readonly queries: Readonly<Record<string, string>>;
  /** From which value on a single figure is orange and red. */
  readonly warn?: readonly [orange: number, red: number];
}

export interface DashboardSpec {
  readonly uid: string;
  readonly title: string;
  readonly help: string;
  readonly rows: Readonly<Record<string, readonly PanelSpec[]>>;
}

/** Columns of a dashboard of Grafana. */
const COLUMNS = 24;
const SIZES = { stat: { w: 4, h: 4 }, timeseries: { w: 12, h: 8 } } as const;
const SOURCE = { type: "prometheus", uid: "$datasource" } as const;

/**
 * A dashboard in the classic form of Grafana's JSON, which Grafana 10 to 13 read. Ids and places are given here, so that no
 * two panels have one.
 */
export function dashboardJson({ uid, title, help, rows }: DashboardSpec): object {
  const panels: object[] = [];
  let y = 0;
  for (const [row, specs] of Object.entries(rows)) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title: row,
      collapsed: false,
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
      panels: [],
    });
    y++;
    let x = 0;
    let height = 0;
    for (const spec of specs) {
      const { w, h } = SIZES[spec.kind];
      if (x + w > COLUMNS || (height !== 0 && height !== h)) {
        y += height;
        x = 0;
      }
      height = h;
      panels.push(panelJson(spec, panels.length + 1, { x, y, w, h }));
      x += w;
    }
    y += height;
  }
  return {
    uid,
    title,
    description: help,
    tags: ["ganglion"],
    schemaVersion: 38,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    timezone: "browser",
    templating: { list: [datasource, ecosystem] },
    annotations: { list: [] },
    links: [],
    panels,
  };
}

const datasource = {
  name: "datasource",
  label: "Data source",
  type: "datasource",
  query: "prometheus",
  current: {},
  hide: 0,
  includeAll: false,
  multi: false,
  options: [],
  refresh: 1,
  regex: "",
};

const ecosystem = {
  name: "ecosystem",
  label: "Ecosystem",
  type: "query",
  datasource: SOURCE,
  definition: "label_values(ganglion_signals_total, ecosystem)",
  query: { query: "label_values(ganglion_signals_total, ecosystem)", refId: "ecosystem" },
  current: { selected: true, text: ["All"], value: ["$__all"] },
  hide: 0,
  includeAll: true,
  allValue: ".*",
  multi: true,
  options: [],
  refresh: 2,
  regex: "",
  sort: 1,
};

function panelJson(spec: PanelSpec, id: number, gridPos: object): object {
  const { title, kind, unit, help, queries, warn } = spec;
  const steps = [
    { color: "green", value: null },
    ...(warn === undefined
      ? []
      : [
          { color: "orange", value: warn[0] },
          { color: "red", value: warn[1] },
        ]),
  ];
  return {
    id,
    type: kind,
    title,
    description: help,
    datasource: SOURCE,
    gridPos,
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        color: { mode: kind === "stat" ? "thresholds" : "palette-classic" },
        thresholds: { mode: "absolute", steps },
      },
      overrides: [],
    },
    options:
      kind === "stat"
        ? {
            colorMode: "value",
            graphMode: "area",
            justifyMode: "auto",
            reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
          }
        : {
            legend: { displayMode: "list", placement: "bottom", showLegend: true },
            tooltip: { mode: "multi", sort: "desc" },
          },
    targets: Object.entries(queries).map(([legendFormat, expr], place) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + place),
      datasource: SOURCE,
      editorMode: "code",
      expr,
      legendFormat,
      instant: kind === "stat",
      range: kind !== "stat",
    })),
  };
}
