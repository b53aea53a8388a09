import { createRoute, z } from "@hono/zod-openapi";
import { authorise } from "../../../core/access/grant.ts";
import { commandedByName } from "../../../core/access/work-rights.ts";
import { HOSTS_QUEUE } from "../../../core/hosts/command-queue.ts";
import { CHECKS_QUEUE } from "../../../core/queue/accept.ts";
import { WORK_PROTOCOL } from "../../../core/queue/work-frames.ts";
import { IDENTIFIER } from "../../../core/signals/signal.ts";
import { NO_AGENT, NO_HOST } from "../../../durable-objects/queue/worker-rights.ts";
import { QueuePath } from "../http/query.ts";
import { Refusal } from "../http/refusal.ts";
import { newApi, problems, securedAfresh } from "../http/route.ts";
import { needsProtocol, onlyUpgrades, upgradeTo } from "../http/upgrade.ts";
import { beginQueue } from "./begin-queue.ts";
import { workableIn } from "./commands.ts";
import { EarlyChannel } from "./early-channel.ts";
import { findQueue } from "./existing-queue.ts";

const access = securedAfresh("tasks:work");

const openChannel = createRoute({
  method: "get",
  path: "/v1/{eco}/queues/{q}/work",
  operationId: "openWorkChannel",
  summary: "Open a worker's channel (WebSocket)",
  description:
    `Frames are JSON texts with a \`type\`; the subprotocol is \`${WORK_PROTOCOL}\`. Taking tasks needs the scope ` +
    "`tasks:work`. Queueing tasks and making calls over the same channel needs `tasks:write` too, and in the queue " +
    "`hosts`, whose tasks are commands, `hosts:command`.",
  tags: ["tasks"],
  ...access,
  middleware: [...access.middleware, onlyUpgrades("the channel")],
  request: {
    params: QueuePath,
    query: z.strictObject({
      worker: z
        .string()
        .regex(
          IDENTIFIER,
          "the name of a worker starts with a letter or digit and holds letters, digits and . _ : @ ~ -",
        )
        .optional()
        .openapi({ description: "Name of the worker; default: the token's", example: "gpu-01" }),
    }),
  },
  responses: { 101: { description: "Switches to WebSocket" }, ...problems(400, 426) },
});

export const work = newApi().openapi(openChannel, async (c) => {
  needsProtocol(c.req.raw, WORK_PROTOCOL, "The channel");
  const { eco, q } = c.req.valid("param");
  const grant = c.get("grant");
  const scope = q === HOSTS_QUEUE ? "hosts:command" : "tasks:write";
  const mayWrite = q !== CHECKS_QUEUE && authorise(grant, scope, eco, Date.now()) === "allowed";
  const worker = c.req.valid("query").worker ?? grant.name;
  const query = new URLSearchParams({ worker, may_write: mayWrite ? "1" : "0" });
  const recipients = workableIn(grant, q);
  if (commandedByName(grant, q === HOSTS_QUEUE)) query.set("by_name", "1");
  if (recipients?.length === 0 && !mayWrite) throw new Refusal(q === CHECKS_QUEUE ? NO_AGENT : NO_HOST);
  // Commands are kept in the audit, with who gave them.
  if (q === HOSTS_QUEUE && mayWrite) query.set("commander", grant.name);
  const openQueue = async () => {
    const queue = await beginQueue(c.env, eco, q, grant);
    return upgradeTo(queue, "/work", query, c.req.raw, { ...grant, recipients });
  };
  if ((await findQueue(c.env, eco, q)) !== undefined) return openQueue();
  const hosts = q === HOSTS_QUEUE ? grant.hosts : undefined;
  const visit = { env: c.env, ecosystem: eco, queue: q, grant };
  const { 0: client, 1: server } = new WebSocketPair();
  server.accept();
  new EarlyChannel(server, { visit, worker, mayWrite, recipients, hosts, openQueue });
  return new Response(null, { status: 101, webSocket: client, headers: { "Sec-WebSocket-Protocol": WORK_PROTOCOL } });
});
