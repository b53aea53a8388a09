import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { isJsonObject } from "../../src/core/json/is-json-object.ts";
import type { Facts, Monitor } from "./monitor.ts";

export interface CapabilitiesOptions {
  readonly path: string;
  /** Path of the list in the file, such as `["modules"]`. */
  readonly key: readonly string[];
}

interface Listed {
  readonly name: string;
  readonly path: string;
}

/** Modules of a list: of each, the cursor that the edge keeps holds four characters. */
const MAX_LISTED = 2_000;
/** Modules of one answer; the next one, a minute later, has the others. */
const MAX_MODULES = 200;
const MARK = 4;

/**
 * Modules that were added to `capabilities.yaml` since the edge last asked, whoever added them. The first look takes what is
 * there as known. A file that is gone, empty or half written is no list: what was known stays known.
 */
export class CapabilitiesMonitor implements Monitor {
  readonly name = "capabilities";
  readonly #options: CapabilitiesOptions;

  constructor(options: CapabilitiesOptions) {
    this.#options = options;
  }

  async gather(after: string | undefined): Promise<Facts> {
    const listed = listedModules(await readFile(this.#options.path, "utf8"), this.#options.key);
    const some = listed.slice(0, MAX_LISTED);
    const known = after === undefined ? undefined : marksOf(after);
    const added = known === undefined ? [] : some.filter(({ name }) => !known.has(markOf(name)));
    const later = new Set(added.slice(MAX_MODULES));
    const cursor = some.flatMap((module) => (later.has(module) ? [] : [markOf(module.name)])).join("");
    const isTooMany = listed.length > MAX_LISTED;
    const reason = `the list has ${listed.length} modules; those after the first ${MAX_LISTED} are not watched`;
    return {
      modules: added.slice(0, MAX_MODULES).map(({ name, path }) => ({ module_name: name, module_path: path })),
      cursor,
      ...(isTooMany && { failed: [{ part: "list", reason }] }),
    };
  }
}

/** @throws Error where the file has no list of modules */
function listedModules(text: string, key: readonly string[]): Listed[] {
  const list = key.reduce<unknown>((here, step) => (isJsonObject(here) ? here[step] : undefined), parse(text));
  const entries = Array.isArray(list)
    ? list.map((item: unknown) => (isJsonObject(item) ? item : { name: item }))
    : isJsonObject(list)
      ? Object.entries(list).map(([name, more]) => ({ ...(isJsonObject(more) ? more : {}), name }))
      : undefined;
  if (entries === undefined) throw new Error(`the file has no list of modules at ${key.join(".")}`);
  return entries.flatMap(({ name, path }: { name?: unknown; path?: unknown }) =>
    typeof name === "string" && name !== "" && name.length <= 512
      ? [{ name, path: typeof path === "string" && path.length <= 4_096 ? path : name }]
      : [],
  );
}

const markOf = (name: string): string => hash("sha256", name, "base64url").slice(0, MARK);

const marksOf = (cursor: string): ReadonlySet<string> => new Set(cursor.match(new RegExp(`.{${MARK}}`, "g")) ?? []);
