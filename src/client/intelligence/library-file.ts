import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { extendLibrary, type Library, readLibrary } from "../../core/intelligence/library.ts";

const BUILT_IN = new URL("./library.yaml", import.meta.url);

/** The built-in library. In Node alone: it is a file. */
export const builtInLibrary = (): Library => readLibraryFile(BUILT_IN, "built-in");

/**
 * The built-in library, with what a file of the user's adds.
 *
 * @param path - `undefined`: the built-in one as it is
 * @throws Error that names the file and the place of each problem
 */
export function openLibrary(path: string | undefined): Library {
  const library = builtInLibrary();
  return path === undefined ? library : extendLibrary(library, readLibraryFile(path, path));
}

function readLibraryFile(path: string | URL, name: string): Library {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`the library ${name} cannot be read: ${(error as Error).message}`);
  }
  const document = parseDocument(text, { prettyErrors: true });
  const [wrong] = document.errors;
  if (wrong !== undefined) throw new Error(`the library ${name} is no valid YAML: ${wrong.message}`);
  return readLibrary(document.toJS({ maxAliasCount: 100 }), name);
}
