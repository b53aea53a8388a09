import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";
import { atEnd } from "../../harness/cleanup.ts";

export interface CuttableNetwork {
  /** Connect here instead of to the target. */
  readonly port: number;
  /** Breaks every connection, and takes none until it is mended: packets just vanish for those who try. */
  cut(): void;
  mend(): void;
}

/** A stretch of network before `targetPort` of this machine that can be cut. */
export async function openNetwork(targetPort: number): Promise<CuttableNetwork> {
  const open = new Set<Socket>();
  /** Connections that came while it was cut: left hanging, as a firewall that drops packets does. */
  const hanging = new Set<Socket>();
  let whole = true;
  const server = createServer((near) => {
    near.on("error", () => near.destroy());
    if (!whole) {
      hanging.add(near);
      near.on("close", () => hanging.delete(near));
      return;
    }
    const far = connect(targetPort, "127.0.0.1");
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const drop = (sockets: Set<Socket>) => {
    for (const socket of sockets) socket.destroy();
  };
  atEnd(() => {
    server.close();
    drop(open);
    drop(hanging);
  });
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      whole = false;
      drop(open);
    },
    mend: () => {
      whole = true;
      drop(hanging);
    },
  };
}
