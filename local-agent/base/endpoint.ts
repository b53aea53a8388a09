import { connect } from "node:net";

/**
 * The address in the form that sockets need: a client reaches `*` at this machine, and the bus library binds to IP
 * addresses only, not to names.
 */
export function concrete(endpoint: string, use: "bind" | "connect"): string {
  const local = endpoint.replace("//localhost:", "//127.0.0.1:");
  return use === "connect" ? local.replace(/\/\/(\*|0\.0\.0\.0):/, "//127.0.0.1:") : local;
}

const PROBE_MS = 1_000;

/** Whether a process listens at a `tcp://` or `ipc://` address. */
export function isListening(endpoint: string): Promise<boolean> {
  const [protocol, rest = ""] = concrete(endpoint, "connect").split("://");
  const colon = rest.lastIndexOf(":");
  const target =
    protocol === "ipc" ? { path: rest } : { host: rest.slice(0, colon), port: Number(rest.slice(colon + 1)) };
  return new Promise((resolve) => {
    const socket = connect(target);
    const answer = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    socket.setTimeout(PROBE_MS, () => answer(false));
    socket.once("connect", () => answer(true));
    socket.once("error", () => answer(false));
  });
}
