import { methodNotAllowed } from "hono/method-not-allowed";
import { problem } from "../core/problem/problem.ts";
import { agents } from "./api/agents.ts";
import { calls } from "./api/calls.ts";
import { letters } from "./api/dead-letters.ts";
import { decisions } from "./api/decisions.ts";
import { expectations } from "./api/expectations.ts";
import { gaps } from "./api/gaps.ts";
import { health } from "./api/health.ts";
import { history } from "./api/history.ts";
import { homePage } from "./api/home.ts";
import { lineage } from "./api/lineage.ts";
import { links } from "./api/link.ts";
import { maintenance } from "./api/maintenance.ts";
import { models } from "./api/models.ts";
import { monitors } from "./api/monitors.ts";
import { observations } from "./api/observations.ts";
import { describeApi, type OpenApiDocument } from "./api/openapi-document.ts";
import { policies } from "./api/policies.ts";
import { queues } from "./api/queues.ts";
import { referencePage } from "./api/reference.ts";
import { answerError, problemResponse } from "./api/refusal.ts";
import { newApi } from "./api/route.ts";
import { scanners } from "./api/scanners.ts";
import { signals } from "./api/signals.ts";
import { simulate } from "./api/simulate.ts";
import { status } from "./api/status.ts";
import { streams } from "./api/stream.ts";
import { tasks } from "./api/tasks.ts";
import { tokens } from "./api/tokens.ts";
import { usage } from "./api/usage.ts";
import { webhookEndpoints } from "./api/webhooks.ts";
import { work } from "./api/work.ts";
import { workers } from "./api/workers.ts";

/** The whole HTTP API. One resource a file in api/. */
export const app = newApi();

app.onError((error) => answerError(error));
app.notFound(() =>
  problemResponse(
    problem("not-found", 404, "There is no such thing here", "No call has this path; /docs lists them all."),
  ),
);
app.use(
  methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) =>
      problemResponse(
        problem(
          "method-not-allowed",
          405,
          "The path does not take this method",
          `It takes ${methods.join(", ")}, not ${c.req.method}.`,
        ),
        { Allow: methods.join(", ") },
      ),
  }),
);

// The stream stands before the signals: /signals/stream would otherwise be the signal whose id is "stream".
for (const part of [
  health,
  streams,
  signals,
  lineage,
  links,
  agents,
  monitors,
  observations,
  history,
  scanners,
  maintenance,
  gaps,
  policies,
  decisions,
  expectations,
  models,
  simulate,
  letters,
  queues,
  tasks,
  calls,
  work,
  webhookEndpoints,
  status,
  usage,
  tokens,
  workers,
]) {
  app.route("/", part);
}

let document: OpenApiDocument | undefined;
/** Made when first asked for: starting the Worker must not pay for it. */
export function openApiDocument(): OpenApiDocument {
  document ??= describeApi(app);
  return document;
}

app.get("/openapi.json", (c) => c.json(openApiDocument()));
app.get("/docs", () => referencePage(openApiDocument()));
app.get("/", () => homePage());
