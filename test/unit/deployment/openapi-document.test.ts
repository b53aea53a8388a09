import { validate } from "@readme/openapi-parser";
import { describe, expect, it } from "vitest";
import { KNOWN_SIGNALS } from "../../../src/core/signals/known-signals.ts";

/** Named at run time: under Node's types the Worker's own sources would not compile. The validator needs Node. */
const APP = "../../../src/workers/app.ts";

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly security?: readonly unknown[];
  readonly responses: Record<string, { description?: string }>;
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
