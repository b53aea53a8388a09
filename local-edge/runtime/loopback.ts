import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { LOOPBACK } from "../port.ts";

/** Where the runtime's own services, such as the broker of queues, send their chatter. */
export interface Loopback {
  readonly port: number;
  close(): void;
}

/** Without it, each batch of a queue would wait for a connection that is refused. Nobody reads what comes. */
export async function startLoopback(): Promise<Loopback> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(204).end();
  });
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen({ host: LOOPBACK, port: 0 }, listening);
  });
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
