/** The views, in the order of the menu. The first is the home. */
export const VIEWS = [
  { name: "attention", title: "Attention", key: "a" },
  { name: "fleet", title: "Fleet", key: "f" },
  { name: "agents", title: "Agent sessions", key: "s" },
  { name: "live", title: "Live stream", key: "l" },
  { name: "queues", title: "Queues", key: "q" },
  { name: "dead-letters", title: "Dead letters", key: "d" },
  { name: "policies", title: "Policies", key: "p" },
  { name: "coordination", title: "Coordination", key: "o" },
  { name: "gaps", title: "Gaps", key: "g" },
  { name: "expectations", title: "Expectations", key: "e" },
  { name: "history", title: "History", key: "h" },
  { name: "usage", title: "Cost and usage", key: "u" },
  { name: "access", title: "Access and audit", key: "c" },
] as const;

/** Views that are reached from another one, and are not in the menu. */
const DETAILS = { chain: "live", hosts: "fleet" } as const;

export type MenuView = (typeof VIEWS)[number]["name"];
export type ViewName = MenuView | keyof typeof DETAILS;

/** Where a reader is. The URL holds all of it: a copied address shows the same to somebody else. */
export interface Place {
  readonly ecosystem: string;
  readonly view: ViewName;
  /** What the view shows: a queue, a rule, a signal, a host. */
  readonly id: string | undefined;
  /** Filters, the selection, the range of time. */
  readonly query: Readonly<Record<string, string>>;
}

const ROOT = "/app";
const DEFAULT_ECOSYSTEM = "default";

/** @param path - of the URL, such as `/app/default/queues/builds` */
export function readPlace(path: string, search: string): Place {
  const parts = path.slice(ROOT.length).split("/").filter(Boolean).map(decodePart);
  const [ecosystem = DEFAULT_ECOSYSTEM, view, id] = parts;
  return {
    ecosystem,
    view: isView(view) ? view : "attention",
    id: isView(view) ? id : undefined,
    query: Object.fromEntries(new URLSearchParams(search)),
  };
}

export function hrefOf({ ecosystem, view, id, query }: Place): string {
  const parts = [ecosystem, view, ...(id === undefined ? [] : [id])].map(encodeURIComponent);
  const given = Object.entries(query).filter(([, value]) => value !== "");
  const search = new URLSearchParams(given.sort(([a], [b]) => (a < b ? -1 : 1))).toString();
  return `${ROOT}/${parts.join("/")}${search === "" ? "" : `?${search}`}`;
}

/** The entry of the menu to which a view belongs. */
export const menuOf = (view: ViewName): MenuView => (isDetail(view) ? DETAILS[view] : view);

export function titleOf({ view, id }: Pick<Place, "view" | "id">): string {
  if (view === "chain") return id === undefined ? "Chain of a signal" : `Chain of ${id}`;
  if (view === "hosts") return id ?? "Host";
  const title = VIEWS.find(({ name }) => name === view)?.title ?? view;
  return id === undefined ? title : `${id} · ${title}`;
}

function isView(name: string | undefined): name is ViewName {
  return name !== undefined && (VIEWS.some((view) => view.name === name) || isDetail(name));
}

function isDetail(name: string): name is keyof typeof DETAILS {
  return Object.hasOwn(DETAILS, name);
}

/** A part that somebody typed may not be what `encodeURIComponent` makes. */
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
