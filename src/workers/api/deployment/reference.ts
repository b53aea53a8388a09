import { html } from "hono/html";
import type { PageFiles } from "../../../core/dashboard/manifest.ts";
import { page } from "../http/page.ts";
import { bodyExample, namesOf } from "./body-examples.ts";
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
  readonly bodies: readonly Body[];
  readonly responses: readonly (readonly [status: string, description: string])[];
  /** It opens a WebSocket, which no form can. */
  readonly upgrades: boolean;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly example?: unknown;
  readonly schema?: {
    readonly description?: string;
    readonly default?: unknown;
    readonly enum?: readonly unknown[];
    readonly example?: unknown;
  };
}

interface Body {
  readonly type: string;
  readonly schema: object;
  readonly example: string | undefined;
  /** Schemas that it names. */
  readonly named: readonly string[];
}

/**
 * The API reference as a page, from the OpenAPI document. All of it stands in the page; a script adds a search and forms to try
 * calls with.
 *
 * @param files - the script; `undefined`: the page does without
 */
export function referencePage(document: OpenApiDocument, files: PageFiles | undefined): Promise<Response> {
  const operations = operationsOf(document);
  const schemas = Object.entries(document.components?.schemas ?? {});
  return page(
    `${document.info.title} API`,
    html`<h1>${document.info.title} API <span class="quiet">${document.info.version}</span></h1>
<p>${document.info.description}</p>
<p>Send <code>Authorization: Bearer &lt;token&gt;</code>. As OpenAPI: <a href="/openapi.json">openapi.json</a>.</p>
<div id="tools"></div>
${(document.tags ?? []).map(
  (tag) => html`<section><h2 id="${tag.name}">${tag.name}</h2><p class="quiet">${tag.description}</p>
${operations.filter((operation) => operation.tag === tag.name).map(operationDetails)}</section>`,
)}
<section><h2 id="schemas">schemas</h2>
${schemas.map(
  ([name, schema]) =>
    html`<details id="${name}"><summary><code>${name}</code></summary><pre>${JSON.stringify(schema, null, 2)}</pre></details>`,
)}</section>`,
    files,
  );
}

function operationDetails(operation: Operation) {
  const { method, path, summary, description, scopes, parameters, bodies, responses, upgrades } = operation;
  return html`<details data-method="${upgrades ? "" : method.toUpperCase()}" data-path="${path}">
<summary><code>${method.toUpperCase()} ${path}</code> ${summary}</summary>
${description === "" ? "" : html`<p>${description}</p>`}
<p class="quiet">${scopes.length === 0 ? "Public." : `Scope: ${scopes.join(" and ")}.`}</p>
${
  parameters.length === 0
    ? ""
    : html`<table><tr><th>parameter</th><th>in</th><th>what it is</th></tr>
${parameters.map(
  (parameter) =>
    html`<tr data-name="${parameter.name}" data-in="${parameter.in}" data-example="${exampleOf(parameter)}"><td><code>${parameter.name}</code></td><td>${parameter.in}</td><td>${explain(parameter)}</td></tr>`,
)}</table>`
}
${bodies.map(bodyDetails)}
<table><tr><th>answer</th><th>when</th></tr>
${responses.map(([status, text]) => html`<tr><td><code>${status}</code></td><td>${text}</td></tr>`)}</table>
</details>`;
}

function bodyDetails({ type, schema, example, named }: Body) {
  return html`<p>Body <code>${type}</code>${named.map((name) => html` <a href="#${name}">${name}</a>`)}</p>
${example === undefined ? "" : html`<pre data-body="${type}">${example}</pre>`}
${named.length > 0 ? "" : html`<details><summary>schema</summary><pre>${JSON.stringify(schema, null, 2)}</pre></details>`}`;
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

/** What a form begins with: parts of the path, and what is required. */
const exampleOf = ({ in: place, required, example, schema }: Parameter): string =>
  place === "path" || required === true ? String(example ?? schema?.example ?? "") : "";

function isParameter(parameter: object): parameter is Parameter {
  return "name" in parameter && "in" in parameter;
}

function operationsOf(document: OpenApiDocument): Operation[] {
  const schemas = document.components?.schemas ?? {};
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      if (operation === undefined) return [];
      const body = operation.requestBody;
      const parameters: readonly object[] = operation.parameters ?? [];
      const content = body !== undefined && "content" in body ? Object.entries(body.content) : [];
      return {
        method,
        path,
        tag: operation.tags?.[0] ?? "",
        summary: operation.summary ?? "",
        description: operation.description ?? "",
        scopes: (operation as { "x-scopes"?: readonly string[] })["x-scopes"] ?? [],
        parameters: parameters.filter(isParameter),
        bodies: content.map(([type, { schema = {} }]) => ({
          type,
          schema,
          example: bodyExample(schema, schemas),
          named: namesOf(schema),
        })),
        responses: Object.entries(operation.responses ?? {}).map(
          ([status, response]) => [status, (response as { description: string }).description] as const,
        ),
        upgrades: "101" in (operation.responses ?? {}),
      };
    }),
  );
}
