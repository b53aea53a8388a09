import { createServer, isIPv4 } from "node:net";

/** The embedded edge listens on loopback, unless it is told otherwise: TLS is the business of a proxy or of Cloudflare. */
export const LOOPBACK = "127.0.0.1";
/** Every address of this machine. */
export const ANY = "0.0.0.0";
const DEFAULT_PORT = 8787;

export interface Listen {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/**
 * @returns `GANGLION_LISTEN`, an address with a port; else 127.0.0.1 and `GANGLION_PORT`, default 8787. Throws on anything
 * else.
 */
export function listenFromEnvironment(env: NodeJS.ProcessEnv = process.env): Listen {
  const text = env.GANGLION_LISTEN;
  if (text === undefined || text === "") return { host: LOOPBACK, port: portFromEnvironment(env) };
  const [, host = "", port = ""] = /^([\d.]+):(\d{1,5})$/.exec(text) ?? [];
  if (!isIPv4(host) || Number(port) > 65_535)
    throw new Error(
      `GANGLION_LISTEN is "${text}": give an IPv4 address of this machine and a port, such as 127.0.0.1:8787, or ` +
        "0.0.0.0:8787 for all of its addresses",
    );
  if (env.GANGLION_PORT)
    throw new Error(
      "GANGLION_LISTEN and GANGLION_PORT are both set: GANGLION_LISTEN names the port, too; unset the other",
    );
  return { host, port: Number(port) };
}

/** Where an edge that listens on `host` is reached from this machine. */
export const reachedAt = (host: string) => (host === ANY ? LOOPBACK : host);

/** 0 asks for any free one. */
function portFromEnvironment(env: NodeJS.ProcessEnv): number {
  const text = env.GANGLION_PORT;
  if (text === undefined || text === "") return DEFAULT_PORT;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new Error(`GANGLION_PORT is "${text}": give a port number from 1 to 65535, or 0 for any free one`);
  }
  return port;
}

/** Ports below those from which Linux takes one for each outgoing connection: such a connection cannot take them. */
const QUIET_PORTS = { from: 12_000, count: 20_000 } as const;
const ATTEMPTS = 8;

/**
 * Checks that `port` is free, or finds a free one for 0. The runtime binds it a moment later: between the two
 * somebody else may take it, which the runtime then reports as {@link portTaken} does.
 *
 * The runtime could pick a free port itself, but would pick another one when it is restarted after a crash.
 */
export async function claimPort(port: number, host = LOOPBACK): Promise<number> {
  for (let attempt = 0; port === 0 && attempt < ATTEMPTS; attempt++) {
    const quiet = QUIET_PORTS.from + Math.floor(Math.random() * QUIET_PORTS.count);
    const free = await probePort(quiet, host).catch(() => undefined);
    if (free !== undefined) return free;
  }
  // Of a port that is not free the reason is told here, and with so many taken the system picks one.
  return probePort(port, host);
}

async function probePort(port: number, host: string): Promise<number> {
  const probe = createServer();
  try {
    await new Promise<void>((listening, failed) => {
      probe.once("error", failed);
      probe.listen({ port, host, exclusive: true }, listening);
    });
    const address = probe.address();
    return typeof address === "object" && address !== null ? address.port : port;
  } catch (error) {
    throw portProblem(port, host, error);
  } finally {
    await new Promise<void>((closed) => probe.close(() => closed()));
  }
}

/** The error where another program has the port. */
export function portTaken(port: number, host: string): Error {
  return new Error(
    `Port ${port} on ${host} is taken by another program. Set GANGLION_PORT to a free one ` +
      "(GANGLION_PORT=0 takes any), or stop that program.",
  );
}

function portProblem(port: number, host: string, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "EADDRINUSE") return portTaken(port, host);
  if (code === "EADDRNOTAVAIL")
    return new Error(`${host} is no address of this machine. Set GANGLION_LISTEN to one that is (see: ip address).`);
  if (code === "EACCES") {
    return new Error(`Port ${port} needs more rights than this user has. Set GANGLION_PORT to one above 1023.`);
  }
  return error instanceof Error ? error : new Error(String(error));
}
