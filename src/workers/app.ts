import { methodNotAllowed } from "hono/method-not-allowed";
import { DASHBOARD_BASE } from "../core/dashboard/manifest.ts";
import { problem } from "../core/problem/problem.ts";
import { hex, sha256 } from "../durable-objects/shell/digest.ts";
import { tokens } from "./api/access/routes.ts";
import { telemetryExports } from "./api/agent-sessions/exports.ts";
import { agentSessions } from "./api/agent-sessions/routes.ts";
import { attention } from "./api/attention/routes.ts";
import { recordWrites } from "./api/audit/record.ts";
import { audit } from "./api/audit/routes.ts";
import { deadLetterRoutes } from "./api/dead-letters/routes.ts";
import { budgets } from "./api/deployment/budget.ts";
import { health } from "./api/deployment/health.ts";
import { homePage } from "./api/deployment/home.ts";
import { describeApi, type OpenApiDocument } from "./api/deployment/openapi-document.ts";
import { referencePage } from "./api/deployment/reference.ts";
import { status } from "./api/deployment/status.ts";
import { usage } from "./api/deployment/usage.ts";
import { ecosystems } from "./api/ecosystems/routes.ts";
import { erasures } from "./api/erasure/routes.ts";
import { bridges } from "./api/federation/bridges.ts";
import { fileTaskRoutes } from "./api/file-tasks/routes.ts";
import { monitors } from "./api/hosts/monitors.ts";
import { agents } from "./api/hosts/routes.ts";
import { onlyAllowedHosts } from "./api/http/allowed-hosts.ts";
import { answerTwice } from "./api/http/answer-twice.ts";
import { compressed } from "./api/http/compress.ts";
import { crossOrigin } from "./api/http/cross-origin.ts";
import { namesTag } from "./api/http/entity-tag.ts";
import { answerError, problemResponse } from "./api/http/refusal.ts";
import { newApi } from "./api/http/route.ts";
import { webhookHandshake } from "./api/http/webhook-handshake.ts";
import { inbox } from "./api/inbox/routes.ts";
import { intelligenceContext } from "./api/intelligence/context.ts";
import { rollout } from "./api/intelligence/rollout.ts";
import { gaps } from "./api/introspection/gaps.ts";
import { history } from "./api/introspection/history.ts";
import { maintenance } from "./api/introspection/maintenance.ts";
import { observations } from "./api/introspection/observations.ts";
import { scanners } from "./api/introspection/scanners.ts";
import { budgetRoutes } from "./api/limits/budget-routes.ts";
import { limitRoutes } from "./api/limits/routes.ts";
import { lineage } from "./api/lineage/routes.ts";
import { lockChannel } from "./api/locks/channel.ts";
import { lockRoutes } from "./api/locks/routes.ts";
import { mail } from "./api/mail/routes.ts";
import { mcp } from "./api/mcp/routes.ts";
import { metrics } from "./api/metrics/routes.ts";
import { models } from "./api/models/routes.ts";
import { noteRoutes } from "./api/notes/routes.ts";
import { overview } from "./api/overview/routes.ts";
import { decisions } from "./api/policy/decisions.ts";
import { expectations } from "./api/policy/expectations.ts";
import { policies } from "./api/policy/routes.ts";
import { simulate } from "./api/policy/simulate.ts";
import { policyStateImport } from "./api/policy/state.ts";
import { answerPage } from "./api/questions/answer-page.ts";
import { permissionRoutes } from "./api/questions/permissions.ts";
import { questionRoutes } from "./api/questions/routes.ts";
import { queueAdministration } from "./api/queue/administration.ts";
import { bulkTasks } from "./api/queue/bulk-tasks.ts";
import { calls } from "./api/queue/calls.ts";
import { finishedTasks } from "./api/queue/finished.ts";
import { parking } from "./api/queue/park.ts";
import { queues } from "./api/queue/routes.ts";
import { tasks } from "./api/queue/tasks.ts";
import { work } from "./api/queue/work.ts";
import { scheduleRoutes } from "./api/schedules/routes.ts";
import { sessions } from "./api/sessions/routes.ts";
import { links } from "./api/signals/link.ts";
import { producers } from "./api/signals/producers.ts";
import { signals } from "./api/signals/routes.ts";
import { streams } from "./api/signals/stream.ts";
import { telemetryExport } from "./api/telemetry/routes.ts";
import { webhookEndpoints } from "./api/webhooks/routes.ts";
import { filesOfPage } from "./pages/dashboard-files.ts";
import { pages } from "./pages/routes.ts";

/** The whole HTTP API; api/ has a folder for each concept. */
export const app = newApi();

app.onError((error, c) => answerError(error, c.req.raw));
app.notFound(() =>
  problemResponse(
    problem(
      "not-found",
      404,
      "Not found",
      "No call of the API has this path. List the calls: GET /docs. An id's own / is %2F in a path.",
    ),
  ),
);
app.use(onlyAllowedHosts);
app.use(compressed);
app.use(crossOrigin);
app.use(webhookHandshake);
app.use(recordWrites);
app.use(
  methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) =>
      problemResponse(
        problem(
          "method-not-allowed",
          405,
          "Method not allowed",
          `The path accepts ${methods.join(", ")}, not ${c.req.method}.${
            c.req.method === "OPTIONS" ? " Pages of other origins may call the API where CORS_ORIGINS names them." : ""
          }`,
        ),
        { Allow: methods.join(", ") },
      ),
  }),
);

// The stream comes before the signals: /signals/stream would otherwise be the signal with the id "stream".
for (const part of [
  health,
  attention,
  overview,
  audit,
  streams,
  producers,
  signals,
  lineage,
  links,
  agents,
  telemetryExports,
  agentSessions,
  monitors,
  observations,
  history,
  scanners,
  maintenance,
  gaps,
  policies,
  policyStateImport,
  bridges,
  decisions,
  expectations,
  models,
  intelligenceContext,
  rollout,
  simulate,
  deadLetterRoutes,
  queues,
  mail,
  queueAdministration,
  bulkTasks,
  tasks,
  parking,
  finishedTasks,
  calls,
  work,
  webhookEndpoints,
  telemetryExport,
  inbox,
  status,
  usage,
  metrics,
  budgets,
  tokens,
  sessions,
  ecosystems,
  erasures,
  fileTaskRoutes,
  // Its tools are calls of this API.
  mcp((request, env, ctx) => answerTwice(app.fetch, request, env, ctx)),
  scheduleRoutes,
  noteRoutes,
  questionRoutes,
  permissionRoutes,
  answerPage,
  lockRoutes,
  lockChannel,
  limitRoutes,
  budgetRoutes,
  pages,
]) {
  app.route("/", part);
}

let document: OpenApiDocument | undefined;
/** Built at the first request for it, so that it does not slow the start of the Worker. */
export function openApiDocument(): OpenApiDocument {
  document ??= describeApi(app);
  return document;
}

let written: Promise<{ readonly text: string; readonly etag: string }> | undefined;
async function openApiText(): Promise<{ readonly text: string; readonly etag: string }> {
  written ??= (async () => {
    const text = JSON.stringify(openApiDocument());
    return { text, etag: `W/"${hex(await sha256(text)).slice(0, 20)}"` };
  })();
  return await written;
}

app.get("/openapi.json", async (c) => {
  const { text, etag } = await openApiText();
  if (namesTag(c.req.header("if-none-match"), etag)) return c.body(null, 304, { ETag: etag });
  return c.body(text, 200, { "Content-Type": "application/json", ETag: etag });
});
app.get("/docs", async (c) => referencePage(openApiDocument(), await filesOfPage(c.env, "docs")));
// A browser asks for a page, and gets the dashboard. Programs accept anything, and get what tells them of the API.
app.get("/", async (c) => {
  const answer = c.req.header("accept")?.includes("text/html") === true ? c.redirect(DASHBOARD_BASE) : await homePage();
  answer.headers.set("Vary", "Accept");
  return answer;
});
