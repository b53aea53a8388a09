import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { claimPort } from "../../../local-edge/port.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const takenPort = () =>
  new Promise<number>((resolve) => {
    const server = createServer();
    servers.push(server);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });

describe("a port for an edge that takes any", () => {
  test("is none that an outgoing connection of this machine may take before the runtime does", async () => {
    const [first = 32_768] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/).map(Number);
    for (let n = 0; n < 20; n++) expect(await claimPort(0)).toBeLessThan(first);
  });

  test("is not looked for where the port is named: a taken one is refused with the remedy", async () => {
    const port = await takenPort();
    await expect(claimPort(port)).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken by another program`);
  });
});
