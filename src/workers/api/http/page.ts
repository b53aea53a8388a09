import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import { DASHBOARD_BASE, type PageFiles } from "../../../core/dashboard/manifest.ts";
import { sha256 } from "../../../durable-objects/shell/digest.ts";

const STYLE = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; } a { color: inherit; }
code, pre { font: 0.9em ui-monospace, monospace; } code { overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: 6px; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .5rem .85rem; }
summary { cursor: pointer; } summary code { font-weight: 600; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-top: 1px solid var(--line); }
.quiet { opacity: .7; } [hidden] { display: none; }
label { display: block; margin: .4rem 0; } label > code { display: inline-block; min-width: 10rem; }
input, textarea, button { font: inherit; box-sizing: border-box; padding: .3rem .6rem; border: 1px solid var(--line); border-radius: 6px; }
input { width: 24rem; max-width: 100%; } textarea { width: 100%; min-height: 8rem; font-family: ui-monospace, monospace; }
:focus-visible { outline: 2px solid; outline-offset: 2px; }
`;

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** What a script of the page may do: call this origin. No script is made from a text. */
const SCRIPT_POLICY =
  "script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; ";

/**
 * A self-contained page: it has no font and asks no other origin.
 *
 * @param files - the script that adds to the page; `undefined`: it has none, and asks for nothing
 */
export async function page(title: string, body: Html, files?: PageFiles): Promise<Response> {
  const text = await html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><link rel="icon" href="data:,">
<style>${raw(STYLE)}</style>${files === undefined ? "" : html`<script type="module" src="${DASHBOARD_BASE}${files.script}"></script>`}</head>
<body><main>${body}</main></body>
</html>`;
  return new Response(String(text), {
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": `default-src 'none'; style-src '${await styleHash()}'; ${files === undefined ? "" : SCRIPT_POLICY}img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
    },
  });
}

async function styleHash(): Promise<string> {
  const digest = await sha256(STYLE);
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}
