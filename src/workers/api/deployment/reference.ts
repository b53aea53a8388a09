import { html } from "hono/html";
import { page } from "../http/page.ts";
import type { OpenApiDocument } from "./openapi-document.ts";

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description: string;
  readonly scopes: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly bodies: readonly string[];
  readonly responses: readonly (readonly [status: string, description: string])[];
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: { readonly description?: string; readonly default?: unknown; readonly enum?: readonly unknown[] };
}

/** The API reference as a page, from the OpenAPI document. */
export function referencePage(document: OpenApiDocument): Promise<Response> {
  const operations = operationsOf(document);
  const schemas = Object.entries(document.components?.schemas ?? {});
  return page(
    `${document.info.title} API`,
    html`<h1>${document.info.title} API <span class="quiet">${document.info.version}</span></h1>
<p>${document.info.description}</p>
<p>Send <code>Authorization: Bearer &lt;token&gt;</code>. As OpenAPI: <a href="/openapi.json">openapi.json</a>.</p>
${(document.tags ?? []).map(
  (tag) => html`<h2 id="${tag.name}">${tag.name}</h2><p class="quiet">${tag.description}</p>
${operations.filter((operation) => operation.tag === tag.name).map(operationDetails)}`,
)}
<h2 id="schemas">schemas</h2>
${schemas.map(
  ([name, schema]) =>
    html`<details id="${name}"><summary><code>${name}</code></summary><pre>${JSON.stringify(schema, null, 2)}</pre></details>`,
)}`,
  );
}

function operationDetails(operation: Operation) {
  return html`<details>
<summary><code>${operation.method.toUpperCase()} ${operation.path}</code> ${operation.summary}</summary>
${operation.description === "" ? "" : html`<p>${operation.description}</p>`}
<p class="quiet">${operation.scopes.length === 0 ? "Public." : `Scope: ${operation.scopes.join(" and ")}.`}
${operation.bodies.length === 0 ? "" : `Body: ${operation.bodies.join(" or ")}.`}</p>
${
  operation.parameters.length === 0
    ? ""
    : html`<table><tr><th>parameter</th><th>in</th><th></th></tr>
${operation.parameters.map(
  (parameter) =>
    html`<tr><td><code>${parameter.name}</code></td><td>${parameter.in}</td><td>${explain(parameter)}</td></tr>`,
)}</table>`
}
<table><tr><th>answer</th><th></th></tr>
${operation.responses.map(([status, description]) => html`<tr><td><code>${status}</code></td><td>${description}</td></tr>`)}</table>
</details>`;
}

function explain({ description, schema, required }: Parameter): string {
  return [
    description ?? schema?.description ?? "",
    schema?.enum === undefined ? "" : `(${schema.enum.join(", ")})`,
    schema?.default === undefined ? "" : `Default ${schema.default}.`,
    required === true ? "Required." : "",
  ]
    .filter((part) => part !== "")
    .join(" ");
}

function isParameter(parameter: object): parameter is Parameter {
  return "name" in parameter && "in" in parameter;
}

function operationsOf(document: OpenApiDocument): Operation[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      if (operation === undefined) return [];
      const body = operation.requestBody;
      const parameters: readonly object[] = operation.parameters ?? [];
      return {
        method,
        path,
        tag: operation.tags?.[0] ?? "",
        summary: operation.summary ?? "",
        description: operation.description ?? "",
        scopes: (operation as { "x-scopes"?: readonly string[] })["x-scopes"] ?? [],
        parameters: parameters.filter(isParameter),
        bodies: body !== undefined && "content" in body ? Object.keys(body.content) : [],
        responses: Object.entries(operation.responses ?? {}).map(
          ([status, response]) => [status, (response as { description: string }).description] as const,
        ),
      };
    }),
  );
}
