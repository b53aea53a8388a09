import { closeSync, constants, openSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { MAX_SOCKET_PATH_BYTES } from "../../src/core/hosts/agent-socket.ts";

/**
 * The path of a state directory may be longer than the path of a socket, which Node would truncate silently. Through a descriptor of the directory the same
 * file has a short path, which is valid until `done` is called.
 */
export function shortSocketPath(path: string): { readonly path: string; done(): void } {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return { path, done: () => {} };
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: join(`/proc/self/fd/${directory}`, basename(path)), done: () => closeSync(directory) };
}
