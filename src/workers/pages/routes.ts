import type { Context } from "hono";
import { DASHBOARD_BASE } from "../../core/dashboard/manifest.ts";
import { problem } from "../../core/problem/problem.ts";
import type { ApiEnv } from "../api/http/api-env.ts";
import { notFound, Refusal } from "../api/http/refusal.ts";
import { newApi } from "../api/http/route.ts";
import { dashboardFile, filesOfPage } from "./dashboard-files.ts";
import { dashboardPage } from "./dashboard-page.ts";

/** The pages of the dashboard. They hold nothing that a caller must not see: what they show they ask the API for. */
export const pages = newApi();

pages.get(`${DASHBOARD_BASE}assets/*`, (c) => {
  const name = new URL(c.req.url).pathname.slice(DASHBOARD_BASE.length);
  const file = dashboardFile(c.env, name);
  if (file !== undefined) return file;
  throw notFound(
    "The dashboard has no such file: the edge was deployed after the page was opened. Load the page again.",
  );
});
pages.get("/login", (c) => pageOf(c, "sign-in", "Sign in to Ganglion"));
// Each view has a path of its own, and all are the same page.
pages.get(`${DASHBOARD_BASE}*`, (c) => pageOf(c, "app", "Ganglion"));

async function pageOf(c: Context<ApiEnv>, page: string, title: string): Promise<Response> {
  const files = await filesOfPage(c.env, page);
  if (files !== undefined) return dashboardPage(title, files);
  const detail =
    "This edge was built without its dashboard. Build it with `npm run build`, or deploy with `wrangler deploy`.";
  throw new Refusal(problem("no-dashboard", 503, "The dashboard is not built", detail), { "Retry-After": "60" });
}
