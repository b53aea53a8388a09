import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { sha256 } from "../../../durable-objects/shell/digest.ts";

const STYLE = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; } a { color: inherit; }
code, pre { font: 0.9em ui-monospace, monospace; }
pre { overflow-x: auto; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: 6px; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .5rem .85rem; }
summary { cursor: pointer; } summary code { font-weight: 600; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-top: 1px solid var(--line); }
.quiet { opacity: .7; }
`;

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** A self-contained page: it has no script and no font, and requests nothing else. */
export async function page(title: string, body: Html): Promise<Response> {
  const text = await html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>
<style>${raw(STYLE)}</style></head>
<body>${body}</body>
</html>`;
  return new Response(String(text), {
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": `default-src 'none'; style-src '${await styleHash()}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
    },
  });
}

async function styleHash(): Promise<string> {
  const digest = await sha256(STYLE);
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}
