import { closeSync, constants, openSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Of an agent, in its state directory. */
export const SOCKET_NAME = "agent.sock";

/** The kernel takes 108 bytes with the final zero; what is longer Node would cut off in silence. */
const MAX_PATH_BYTES = 107;

/**
 * A state directory may lie deeper than the path of a socket may be long. Through a descriptor of the directory the
 * same file has a short name, until `done` is called.
 */
export function shortSocketPath(path: string): { readonly path: string; done(): void } {
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return { path, done: () => {} };
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: join(`/proc/self/fd/${directory}`, basename(path)), done: () => closeSync(directory) };
}
