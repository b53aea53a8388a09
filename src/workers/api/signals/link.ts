import { createRoute, z } from "@hono/zod-openapi";
import { notBound } from "../../../core/access/bindings.ts";
import { rightToLink } from "../../../core/access/link-right.ts";
import { problem } from "../../../core/problem/problem.ts";
import { LINK_PROTOCOL } from "../../../core/wire/link-frames.ts";
import { RELAY_HEADER } from "../../../durable-objects/signals/relay-calls.ts";
import { linkRelay, signalLog } from "../../bindings/objects.ts";
import { choice, EcosystemPath, hostName, words } from "../http/query.ts";
import { Refusal } from "../http/refusal.ts";
import { newApi, problems, securedAfresh } from "../http/route.ts";
import { offeredBy, onlyUpgrades, upgradeTo } from "../http/upgrade.ts";

const access = securedAfresh("signals:write", "signals:read");

const openLink = createRoute({
  method: "get",
  path: "/v1/{eco}/link",
  operationId: "openLink",
  summary: "The link of a host's agent (WebSocket)",
  description: `Frames are JSON texts, each with a \`type\`; the subprotocol is \`${LINK_PROTOCOL}\`.`,
  tags: ["agents"],
  ...access,
  middleware: [...access.middleware, onlyUpgrades("the link")],
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      host: hostName.refine((name) => name !== "ganglion" && !name.startsWith("ganglion."), {
        message: "the name ganglion belongs to the edge itself: choose another",
      }),
      installation: words("Identifies the agent's state on its disk; default: the agent does not say"),
      instance: words("Identifies the process of the agent"),
      place: words("Where the agent runs, for people"),
      take_over: choice(["1"], "Replace another installation that is linked under this name"),
    }),
  },
  responses: { 101: { description: "The connection is now a WebSocket" }, ...problems(400, 426) },
});

export const links = newApi().openapi(openLink, async (c) => {
  const offered = offeredBy(c.req.raw);
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
  const { host, ...agent } = c.req.valid("query");
  const query = new URLSearchParams({ host });
  for (const [name, value] of Object.entries(agent)) if (value !== undefined) query.set(name, value);
  const grant = c.get("grant");
  const right = rightToLink(host, grant);
  if (right === undefined) throw new Refusal(notBound("hosts", grant.hosts, host));
  query.set("right", right);
  const path = `/${eco}/link`;
  const answer = await upgradeTo(signalLog(c.env, eco), path, query, c.req.raw, grant);
  const relay = answer.headers.get(RELAY_HEADER);
  return relay === null ? answer : upgradeTo(linkRelay(c.env, eco, relay), path, query, c.req.raw, grant);
});
