import { html } from "hono/html";
import { DASHBOARD_BASE, type PageFiles } from "../../core/dashboard/manifest.ts";

/**
 * What a page of the dashboard may do: load scripts and styles of this origin, call this origin, and nothing else. No script is
 * made from a text, no other page shows this one in a frame.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** For browsers that do not know a part of the policy, and for what no policy covers. */
const HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy": POLICY,
  // The page names the files of its build: a browser asks for it each time, and keeps those files for ever.
  "Cache-Control": "no-cache",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
} as const;

/** A ganglion: three cells and what connects them. */
const ICON =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path d="M4 4l8 2-5 6z" fill="none" stroke="#4a7dbd" stroke-width="1.5"/>' +
      '<g fill="#4a7dbd"><circle cx="4" cy="4" r="2.5"/><circle cx="12" cy="6" r="2.5"/><circle cx="7" cy="12" r="2.5"/></g></svg>',
  );

/** A page that its script fills. */
export async function dashboardPage(title: string, { script, styles, preload }: PageFiles): Promise<Response> {
  const text = await html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${title}</title>
<link rel="icon" href="${ICON}">
${styles.map((name) => html`<link rel="stylesheet" href="${DASHBOARD_BASE}${name}">`)}
${preload.map((name) => html`<link rel="modulepreload" href="${DASHBOARD_BASE}${name}">`)}
<script type="module" src="${DASHBOARD_BASE}${script}"></script></head>
<body><div id="app"><p>Loading. If this stays, load the page again.</p></div>
<noscript>The dashboard needs JavaScript. <a href="/docs">The API</a> and the command <code>ganglion</code> do not.</noscript></body>
</html>`;
  return new Response(String(text), { headers: HEADERS });
}
