import { closeSync, constants, openSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Name of the socket in the state directory of an agent. */
export const SOCKET_NAME = "agent.sock";

/** The kernel takes 108 bytes with the final zero. Node would truncate a longer path silently. */
const MAX_PATH_BYTES = 107;

/**
 * The path of a state directory may be longer than the path of a socket. Through a descriptor of the directory the same
 * file has a short path, which is valid until `done` is called.
 */
export function shortSocketPath(path: string): { readonly path: string; done(): void } {
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return { path, done: () => {} };
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: join(`/proc/self/fd/${directory}`, basename(path)), done: () => closeSync(directory) };
}
