import { createRoute, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { problem } from "../../../core/problem/problem.ts";
import { LINK_PROTOCOL } from "../../../core/wire/link-frames.ts";
import { isUpgrade } from "../../../durable-objects/shell/sockets.ts";
import { signalLog } from "../../bindings/objects.ts";
import type { ApiEnv } from "../http/api-env.ts";
import { EcosystemPath, hostName } from "../http/query.ts";
import { Refusal, upgradeRequired } from "../http/refusal.ts";
import { newApi, problems, securedAfresh } from "../http/route.ts";
import { upgradeTo } from "../http/upgrade.ts";

const access = securedAfresh("signals:write", "signals:read");

/** Runs before the query is checked: a caller without an upgrade needs the message about the upgrade first, not the one about `host`. */
const onlyUpgrades: MiddlewareHandler<ApiEnv> = async (c, next) => {
  if (!isUpgrade(c.req.raw)) throw upgradeRequired("the link");
  await next();
};

const openLink = createRoute({
  method: "get",
  path: "/v1/{eco}/link",
  operationId: "openLink",
  summary: "The link of a host's agent (WebSocket)",
  description: `Frames are JSON texts, each with a \`type\`; the subprotocol is \`${LINK_PROTOCOL}\`.`,
  tags: ["agents"],
  ...access,
  middleware: [...access.middleware, onlyUpgrades],
  request: {
    params: EcosystemPath,
    query: z.strictObject({ host: hostName }),
  },
  responses: { 101: { description: "The connection is now a WebSocket" }, ...problems(400, 426) },
});

export const links = newApi().openapi(openLink, (c) => {
  const offered = c.req
    .header("sec-websocket-protocol")
    ?.split(",")
    .map((name) => name.trim());
  if (offered !== undefined && !offered.includes(LINK_PROTOCOL)) {
    throw new Refusal(
      problem(
        "unknown-subprotocol",
        400,
        "Unknown subprotocol",
        `The link offers none of the subprotocols that this edge knows. Offer Sec-WebSocket-Protocol: ${LINK_PROTOCOL}.`,
      ),
    );
  }
  const { eco } = c.req.valid("param");
  return upgradeTo(
    signalLog(c.env, eco),
    `/${eco}/link`,
    new URLSearchParams(c.req.valid("query")),
    c.req.raw,
    c.get("grant"),
  );
});
