import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A proxy in front of an edge that passes requests on, and upgrades only while `upgrades` is true. */
export async function upgradeRefusingProxy(target: string) {
  const { hostname, port } = new URL(target);
  const proxy = { url: "", upgrades: false, refused: 0 };
  const server = createServer((asked, answer) => {
    const { method, url, headers } = asked;
    const passed = request({ hostname, port, method, path: url, headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    asked.pipe(passed);
  });
  server.on("upgrade", (asked: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    if (!proxy.upgrades) {
      proxy.refused++;
      socket.end("HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 11\r\n\r\nno upgrades");
      return;
    }
    const upstream = connect(Number(port), hostname, () => {
      const { rawHeaders } = asked;
      const headers = rawHeaders.flatMap((name, place) =>
        place % 2 === 0 ? [`${name}: ${rawHeaders[place + 1]}`] : [],
      );
      upstream.write(`GET ${asked.url} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n`);
      upstream.write(head);
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on("error", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return proxy;
}
