import { createRoute } from "@hono/zod-openapi";
import { LOCK_PROTOCOL } from "../../../core/locks/lock-frames.ts";
import { locks } from "../../bindings/objects.ts";
import { EcosystemPath } from "../http/query.ts";
import { newApi, problems, securedAfresh } from "../http/route.ts";
import { needsProtocol, onlyUpgrades, upgradeTo } from "../http/upgrade.ts";

const access = securedAfresh("tasks:work");

const openChannel = createRoute({
  method: "get",
  path: "/v1/{eco}/locks/channel",
  operationId: "openLockChannel",
  summary: "Open a channel for locks (WebSocket)",
  description:
    `Frames are JSON texts with a \`type\`; the subprotocol is \`${LOCK_PROTOCOL}\`. Acquiring, renewing and releasing a lock ` +
    "are a frame each, with the fields of the calls over HTTP, an `id` and the `name`. A channel that ends ends its waits; what is held over it is held on.",
  tags: ["locks"],
  ...access,
  middleware: [...access.middleware, onlyUpgrades("the channel")],
  request: { params: EcosystemPath },
  responses: { 101: { description: "Switches to WebSocket" }, ...problems(400, 426) },
});

export const lockChannel = newApi().openapi(openChannel, (c) => {
  needsProtocol(c.req.raw, LOCK_PROTOCOL, "The channel");
  const grant = c.get("grant");
  const query = new URLSearchParams(grant.scopes.includes("admin") ? { right: "admin" } : {});
  return upgradeTo(locks(c.env, c.req.valid("param").eco), "/channel", query, c.req.raw, grant);
});
