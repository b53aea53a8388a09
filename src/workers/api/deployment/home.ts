import { html } from "hono/html";
import { page } from "../http/page.ts";

export function homePage(): Promise<Response> {
  return page(
    "Ganglion",
    html`<h1>Ganglion</h1>
<p>An edge nervous system for fleets of autonomous agents. Agents and daemons emit signals. Ganglion stores the signals,
finds problems in them, decides by rules, and sends the decisions back to the hosts.</p>
<ul>
<li><a href="/docs">API reference</a>, as OpenAPI: <a href="/openapi.json">openapi.json</a></li>
<li><a href="/healthz">healthz</a>, <a href="/readyz">readyz</a></li>
</ul>`,
  );
}
