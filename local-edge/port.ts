import { createServer } from "node:net";

/** The embedded edge listens on loopback alone: reaching other machines is the business of a reverse proxy or of Cloudflare. */
export const LOOPBACK = "127.0.0.1";
const DEFAULT_PORT = 8787;

/** @returns `GANGLION_PORT`, default 8787; 0 asks for any free port. Throws on anything that is not a port. */
export function portFromEnvironment(env: NodeJS.ProcessEnv = process.env): number {
  const text = env.GANGLION_PORT;
  if (text === undefined || text === "") return DEFAULT_PORT;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new Error(`GANGLION_PORT is "${text}": give a port number from 1 to 65535, or 0 for any free one`);
  }
  return port;
}

/**
 * Checks that `port` is free, or finds a free one for 0. The runtime binds it a moment later: between the two
 * somebody else may take it, which the runtime then reports as {@link portTaken} does.
 *
 * The runtime could pick a free port itself, but would pick another one when it is restarted after a crash.
 */
export async function claimPort(port: number): Promise<number> {
  const probe = createServer();
  try {
    await new Promise<void>((listening, failed) => {
      probe.once("error", failed);
      probe.listen({ port, host: LOOPBACK, exclusive: true }, listening);
    });
    const address = probe.address();
    return typeof address === "object" && address !== null ? address.port : port;
  } catch (error) {
    throw portProblem(port, error);
  } finally {
    await new Promise<void>((closed) => probe.close(() => closed()));
  }
}

/** The error where another program has the port. */
export function portTaken(port: number): Error {
  return new Error(
    `Port ${port} on ${LOOPBACK} is taken by another program. Set GANGLION_PORT to a free one ` +
      "(GANGLION_PORT=0 takes any), or stop that program.",
  );
}

function portProblem(port: number, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "EADDRINUSE") return portTaken(port);
  if (code === "EACCES") {
    return new Error(`Port ${port} needs more rights than this user has. Set GANGLION_PORT to one above 1023.`);
  }
  return error instanceof Error ? error : new Error(String(error));
}
