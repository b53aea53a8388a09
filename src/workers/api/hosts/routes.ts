import { createRoute, z } from "@hono/zod-openapi";
import { problem } from "../../../core/problem/problem.ts";
import { agentRegistry, signalLog } from "../../bindings/objects.ts";
import { nextLink } from "../http/next-link.ts";
import { EcosystemPath, hostBefore, hostName, wholeNumber } from "../http/query.ts";
import { notFound, Refusal } from "../http/refusal.ts";
import { json, newApi, problems, secured } from "../http/route.ts";
import { AgentSchema, AgentsSchema } from "./schemas.ts";

const HostPath = EcosystemPath.extend({ host: hostName });
const unknownHost = (host: string) => notFound(`No host "${host}". List hosts: GET /v1/{eco}/agents`);

const listAgents = createRoute({
  method: "get",
  path: "/v1/{eco}/agents",
  operationId: "listAgents",
  summary: "List hosts with their state, what they run, and their alerts",
  tags: ["agents"],
  ...secured("signals:read"),
  request: {
    params: EcosystemPath,
    query: z.strictObject({
      limit: wholeNumber(1, 1_000, 1_000, "Hosts in a page; a page also ends where the hosts report much"),
      after: hostBefore,
    }),
  },
  responses: {
    200: json(AgentsSchema, "Hosts sorted by name; a host is forgotten after 30 days down"),
    ...problems(),
  },
});

const getAgent = createRoute({
  method: "get",
  path: "/v1/{eco}/agents/{host}",
  operationId: "getAgent",
  summary: "Get one host",
  tags: ["agents"],
  ...secured("signals:read"),
  request: { params: HostPath },
  responses: { 200: json(AgentSchema, "The host"), ...problems(404) },
});

const forgetAgent = createRoute({
  method: "delete",
  path: "/v1/{eco}/agents/{host}",
  operationId: "forgetAgent",
  summary: "Forget a host that is down",
  tags: ["agents"],
  ...secured("policy:write"),
  request: { params: HostPath },
  responses: { 204: { description: "The host is forgotten" }, ...problems(404, 409) },
});

const releaseAgent = createRoute({
  method: "delete",
  path: "/v1/{eco}/agents/{host}/owner",
  operationId: "releaseAgent",
  summary: "Release a host's name from the token that owns it",
  description:
    "A host's name belongs to the token that linked it first, until that token ends or the name is released. The next " +
    "token that links takes it. An open link stays open.",
  tags: ["agents"],
  ...secured("admin"),
  request: { params: HostPath },
  responses: { 204: { description: "The name is released" }, ...problems(404) },
});

export const agents = newApi()
  .openapi(listAgents, async (c) => {
    const { eco } = c.req.valid("param");
    const { limit, after } = c.req.valid("query");
    const page = await agentRegistry(c.env, eco).agents({ limit, ...(after === undefined ? {} : { after }) });
    const { next } = page;
    return c.json({ agents: [...page.agents], ...(next === null ? {} : { next }) }, 200, nextLink(c.req.url, next));
  })
  .openapi(getAgent, async (c) => {
    const { eco, host } = c.req.valid("param");
    const agent = await agentRegistry(c.env, eco).agent(host);
    if (agent === null) throw unknownHost(host);
    return c.json(agent, 200);
  })
  .openapi(forgetAgent, async (c) => {
    const { eco, host } = c.req.valid("param");
    const outcome = await agentRegistry(c.env, eco).forget(host);
    if (outcome === "unknown") throw unknownHost(host);
    if (outcome === "here")
      throw new Refusal(
        problem(
          "agent-is-here",
          409,
          "The host is up or linked",
          "Only a host that is down and not linked can be forgotten.",
        ),
      );
    return c.body(null, 204);
  })
  .openapi(releaseAgent, async (c) => {
    const { eco, host } = c.req.valid("param");
    if (!(await signalLog(c.env, eco).releaseHost(host)))
      throw notFound(`No token owns the host name "${host}". List hosts: GET /v1/${eco}/agents`);
    return c.body(null, 204);
  });
