import { validate } from "@readme/openapi-parser";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { KNOWN_SIGNALS } from "../../../src/core/signals/known-signals.ts";

/** Named at run time: under Node's types the Worker's own sources would not compile. The validator needs Node. */
const APP = "../../../src/workers/app.ts";
const EXAMPLES = "../../../src/workers/api/deployment/body-examples.ts";

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly security?: readonly unknown[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: unknown } | undefined>> };
  readonly parameters?: readonly { name: string; description?: string; schema?: { description?: string } }[];
  readonly responses: Record<string, { description?: string; headers?: object }>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Record<string, unknown>> };
}

async function readDocument(): Promise<Document> {
  const { openApiDocument } = (await import(APP)) as { openApiDocument: () => Document };
  // As it goes over the wire, and a copy: the validator resolves references in place.
  return JSON.parse(JSON.stringify(openApiDocument()));
}

describe("the OpenAPI document", () => {
  it("is valid OpenAPI 3.1", async () => {
    const document = await readDocument();
    expect(document.openapi).toBe("3.1.0");
    const result = await validate(document as unknown as Parameters<typeof validate>[0]);
    expect(result).toMatchObject({ valid: true });
    expect(result.warnings).toEqual([]);
  });

  it("names and describes each call once, with the ways in which it refuses", async () => {
    const { paths } = await readDocument();
    const operations = Object.values(paths).flatMap((item) => Object.values(item));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(operations.length);
    for (const operation of operations) {
      expect(operation.summary).toBeTruthy();
      if (operation.security?.length === 0) continue;
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(["401", "403", "422"]));
    }
  });

  it("holds the facts of every known signal, as the schemas that check them say", async () => {
    const { schemas } = (await readDocument()).components;
    for (const name of Object.keys(KNOWN_SIGNALS)) expect(schemas[`Facts.${name}`]).toMatchObject({ type: "object" });
    expect(schemas["Facts.Q_DREAM_TRIGGER"]).toMatchObject({ required: ["reason", "topic", "promotion_count"] });
    expect(schemas.Signal?.required).not.toContain("cause");
    expect(schemas.NewSignal).toMatchObject({
      required: ["signal", "source", "facts"],
      additionalProperties: false,
    });
  });
});

describe("the OpenAPI document, as a linter reads it", () => {
  it("describes every parameter and every answer, and names a refusal of each call", async () => {
    const { paths } = await readDocument();
    const silent = operationsOf(paths).flatMap(([name, { parameters = [], responses }]) => [
      ...parameters
        .filter(({ description, schema }) => !(description ?? schema?.description))
        .map((one) => `${name} ${one.name}`),
      ...Object.entries(responses)
        .filter(([, { description }]) => !description)
        .map(([status]) => `${name} ${status}`),
      ...(Object.keys(responses).some((status) => status.startsWith("4")) ? [] : [`${name} refuses nothing`]),
    ]);
    expect(silent).toEqual([]);
  });

  it("requires no property that it does not have, nor one that has a default, and holds no schema that nothing uses", async () => {
    const document = await readDocument();
    const wrong: string[] = [];
    each(document, (schema, at) => {
      const { properties = {}, required = [], type, allOf, $ref } = schema as Properties & Record<string, unknown>;
      if (type !== "object" || allOf !== undefined || $ref !== undefined) return;
      for (const name of required)
        if (properties[name] === undefined || "default" in properties[name]) wrong.push(`${at}.${name}`);
    });
    expect(wrong).toEqual([]);
    const text = JSON.stringify(document);
    const unused = Object.keys(document.components.schemas).filter(
      (name) => !text.includes(`"#/components/schemas/${name}"`) && !STATED.test(name),
    );
    expect(unused).toEqual([]);
  });

  it("has examples that are what their schemas say", async () => {
    const document = JSON.parse(JSON.stringify(await readDocument()).replaceAll("#/components/schemas/", "#/$defs/"));
    const wrong: string[] = [];
    let tried = 0;
    // Which facts belong to which name follows from conditions, which the validator does not know.
    delete document.components.schemas.NewSignal.allOf;
    each(document, ({ example, examples, ...plain }, at) => {
      const given = [example, ...(Array.isArray(examples) ? examples : [])].filter((one) => one !== undefined);
      if (given.length === 0 || !["type", "anyOf", "oneOf", "$ref"].some((keyword) => keyword in plain)) return;
      const $defs = JSON.stringify(plain).includes("#/$defs/") ? document.components.schemas : {};
      const checked = z.fromJSONSchema({ ...plain, $defs } as Parameters<typeof z.fromJSONSchema>[0]);
      for (const one of given) {
        tried++;
        const { error } = checked.safeParse(one);
        if (error !== undefined) wrong.push(`${at}: ${JSON.stringify(one).slice(0, 100)}: ${z.prettifyError(error)}`);
      }
    });
    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(300);
  });

  it("shows a body for each call that takes JSON, but for what others define", async () => {
    const document = await readDocument();
    const { bodyExample } = (await import(EXAMPLES)) as { bodyExample: (schema: unknown, schemas: object) => unknown };
    const without = operationsOf(document.paths).flatMap(([name, { requestBody }]) => {
      const schema = requestBody?.content["application/json"]?.schema;
      return schema === undefined || bodyExample(schema, document.components.schemas) !== undefined ? [] : [name];
    });
    expect(without).toEqual([
      "post /v1/{eco}/otlp/v1/logs",
      "post /v1/{eco}/otlp/v1/metrics",
      "post /v1/{eco}/otlp/v1/traces",
      "post /v1/{eco}/inbox/{source}",
    ]);
  });

  it("says which headers pages, refusals and answers with a tag have", async () => {
    const { paths } = await readDocument();
    const headersOf = (path: string, method: string, status: string) =>
      Object.keys(paths[path]?.[method]?.responses[status]?.headers ?? {});
    expect(headersOf("/v1/{eco}/signals", "get", "200")).toEqual(["Link"]);
    expect(headersOf("/v1/{eco}/signals", "post", "202")).toEqual(["RateLimit-Policy", "RateLimit"]);
    expect(headersOf("/v1/{eco}/signals", "post", "429")).toEqual(["RateLimit-Policy", "RateLimit", "Retry-After"]);
    expect(headersOf("/v1/{eco}/signals/{id}", "get", "200")).toEqual(["ETag"]);
  });
});

describe("the properties in the OpenAPI document", () => {
  it("all have a description", async () => {
    const { schemas } = (await readDocument()).components;
    expect(undescribed(schemas)).toEqual([]);
  });

  it.each([
    ["NewTask", "priority", "5"],
    ["NewTask", "delay_ms", "0"],
    ["NewCall", "timeout_ms", "5000"],
    ["LeaseRequest", "max", "1"],
    ["FailRequest", "retry", "true"],
  ])("state the default of %s.%s in words, so that no generated client requires it", async (name, key, value) => {
    const { properties, required } = (await readDocument()).components.schemas[name] as Properties;
    expect(required).not.toContain(key);
    expect(properties?.[key]).not.toHaveProperty("default");
    expect(properties?.[key]?.description).toMatch(new RegExp(`\\w.*Default: ${value}$`));
  });

  it("of a queue's settings are listed", async () => {
    const { schemas } = (await readDocument()).components;
    expect(Object.keys((schemas.QueueSettings as Properties).properties ?? {})).toEqual(
      Object.keys((schemas.QueueSettingsChange as Properties).properties ?? {}),
    );
  });
});

/** Schemas that are stated for those who send or read them, and which conditions name. */
const STATED = /^Facts\./;

const operationsOf = (paths: Document["paths"]) =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [`${method} ${path}`, operation] as const),
  );

/** Each object of the document, with its place; what an example holds is none of it. */
function each(value: unknown, found: (schema: Record<string, unknown>, at: string) => void, at = ""): void {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) found(value as Record<string, unknown>, at);
  for (const [key, below] of Object.entries(value))
    if (key !== "example" && key !== "examples") each(below, found, `${at}/${key}`);
}

interface Properties {
  readonly properties?: Record<string, Record<string, unknown>>;
  readonly required?: readonly string[];
}

/** Each property with its place: `Task.history.at`. */
function propertiesOf(schemas: Record<string, unknown>): [string, Record<string, unknown>][] {
  const found: [string, Record<string, unknown>][] = [];
  const walk = (schema: unknown, at: string): void => {
    if (typeof schema !== "object" || schema === null) return;
    const { properties, ...rest } = schema as Properties;
    for (const [key, property] of Object.entries(properties ?? {})) {
      found.push([`${at}.${key}`, property]);
      walk(property, `${at}.${key}`);
    }
    for (const [key, part] of Object.entries(rest))
      if (["items", "additionalProperties", "anyOf", "oneOf", "allOf"].includes(key))
        for (const each of [part].flat()) walk(each, at);
  };
  for (const [name, schema] of Object.entries(schemas)) walk(schema, name);
  return found;
}

/** A reference is described where it leads. */
const undescribed = (schemas: Record<string, unknown>) =>
  propertiesOf(schemas)
    .filter(([, property]) => typeof property.description !== "string" && property.$ref === undefined)
    .map(([place]) => place);
