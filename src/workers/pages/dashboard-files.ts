import { DASHBOARD_BASE, DashboardManifest, MANIFEST_FILE, type PageFiles } from "../../core/dashboard/manifest.ts";
import type { Environment } from "../bindings/environment.ts";

type Files = Pick<Environment, "ASSETS" | "DASHBOARD_FILES">;

/** The manifest of this deployment; both change together. */
let known: DashboardManifest | undefined;

/** What a page of the dashboard loads; `undefined`: the dashboard was not built. */
export async function filesOfPage(env: Files, page: string): Promise<PageFiles | undefined> {
  known ??= await readManifest(env);
  return known?.pages[page];
}

async function readManifest({ ASSETS, DASHBOARD_FILES }: Files): Promise<DashboardManifest | undefined> {
  const text = DASHBOARD_FILES?.[MANIFEST_FILE] ?? (await fromAssets(ASSETS));
  return text === undefined ? undefined : DashboardManifest.parse(JSON.parse(text));
}

async function fromAssets(assets: Files["ASSETS"]): Promise<string | undefined> {
  const answer = await assets?.fetch(`https://assets${DASHBOARD_BASE}${MANIFEST_FILE}`);
  if (answer?.ok === true) return await answer.text();
  await answer?.body?.cancel();
  return undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  svg: "image/svg+xml",
};

/**
 * A file of the dashboard, where this edge holds the files itself: on one machine. On Cloudflare files are served without a call of
 * the Worker, and what comes here does not exist.
 */
export function dashboardFile({ DASHBOARD_FILES }: Files, name: string): Response | undefined {
  if (DASHBOARD_FILES === undefined || !Object.hasOwn(DASHBOARD_FILES, name)) return undefined;
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)];
  return new Response(DASHBOARD_FILES[name], {
    headers: { ...HASHED_FILE_HEADERS, "Content-Type": type ?? "application/octet-stream" },
  });
}

/** The name of a file holds a hash of its contents, so it never changes. */
export const HASHED_FILE_HEADERS = {
  "Cache-Control": "public, max-age=31536000, immutable",
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
} as const;
