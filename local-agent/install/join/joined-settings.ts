import { type Document, isMap, parseDocument } from "yaml";
import { ExpectedError } from "../../base/service.ts";
import { CONFIG_TEMPLATE } from "../plan.ts";

/** What a host is told of its edge; what is `undefined` stays as it is. */
export interface Membership {
  readonly url: string;
  readonly ecosystem: string | undefined;
  readonly hostId: string | undefined;
  readonly tokenFile: string | undefined;
}

export interface JoinedSettings {
  readonly text: string;
  readonly ecosystem: string;
}

/**
 * The file of settings in which the host belongs to the edge. Comments and all other settings stay.
 *
 * @param text - `undefined`: there is no file yet
 * @param replace - whether the host may leave the edge that the file names
 */
export function joinedSettings(
  file: string,
  text: string | undefined,
  { url, ecosystem, hostId, tokenFile }: Membership,
  replace: boolean,
): JoinedSettings {
  const document = parseDocument(text ?? CONFIG_TEMPLATE);
  const [error] = document.errors;
  if (error !== undefined)
    throw new ExpectedError(`${file} is no YAML: ${error.message.split("\n")[0]}. Repair it (ganglion-agent check)`);
  requireMap(file, document, document.contents, "it");
  const before = text === undefined ? undefined : document.getIn(["edge", "url"]);
  if (before !== undefined && before !== url && !replace)
    throw new ExpectedError(
      `${file} names another edge, ${String(before)}: its signals that wait in the spool would go to ${url}. Give --replace if you mean that`,
    );
  const values: readonly (readonly [string[], string | undefined])[] = [
    [["edge", "url"], url],
    [["edge", "ecosystem"], ecosystem],
    [["edge", "token_file"], tokenFile],
    [["host", "id"], hostId],
  ];
  for (const [[section = "", name = ""], value] of values) {
    if (value === undefined) continue;
    requireMap(file, document, document.get(section, true), section);
    // An empty section is written as a name alone.
    if (!isMap(document.get(section, true))) document.set(section, document.createNode({}));
    document.setIn([section, name], value);
  }
  return {
    text: document.toString({ lineWidth: 0 }),
    ecosystem: String(document.getIn(["edge", "ecosystem"]) ?? "default"),
  };
}

/** @throws ExpectedError where the settings hold something else than sections with names */
function requireMap(file: string, document: Document, node: unknown, what: string): void {
  const empty = node === undefined || node === null || document.createNode(node).toJSON() === null;
  if (!empty && !isMap(node))
    throw new ExpectedError(`${file}: ${what} is no list of names with values. Repair it (ganglion-agent check)`);
}
