import type { Rng } from "../rng.ts";

/** A JSON Schema as the OpenAPI document and `z.toJSONSchema` give it; what is unknown here is ignored. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly format?: string;
  readonly pattern?: string;
  readonly default?: unknown;
  readonly example?: unknown;
  readonly examples?: readonly unknown[];
}

/** Words that the parts of an edge look at, so that inputs meet in the same signals, tasks and rules. */
const WORDS = [
  "Q_FUZZ_A",
  "Q_FUZZ_B",
  "OBSERVATION",
  "CAPABILITY_GAP",
  "Q_CURIOSITY_INVESTIGATE",
  "Q_PROMOTIONS_DETECTED",
  "fuzz",
  "job-1",
  "job-2",
  "coder",
  "*",
  "facts.n > 1",
  "facts.list.all(x, x > 0)",
  "2026-01-31T12:00:00.000Z",
  "2026-02-30T00:00:00Z",
  "1h30m",
  "0 0 30 2 *",
] as const;

const EDGES = [0, -1, 1, 2 ** 31, 2 ** 53, Number.MAX_SAFE_INTEGER, 1e21, 1e308, -0.5, 0.1] as const;

/** Makes values that a schema describes, mostly valid ones. Depth is bounded, so that schemas that name themselves end. */
export class Generator {
  readonly #rng: Rng;
  readonly #schemas: Readonly<Record<string, JsonSchema>>;

  /** @param schemas - what `$ref` names, by the last part of its path */
  constructor(rng: Rng, schemas: Readonly<Record<string, JsonSchema>>) {
    this.#rng = rng;
    this.#schemas = schemas;
  }

  value(schema: JsonSchema, depth = 0): unknown {
    const rng = this.#rng;
    if (schema.$ref !== undefined) return this.value(this.#schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {}, depth);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum !== undefined) return this.#one(schema.enum);
    const known = [
      ...(schema.examples ?? []),
      ...[schema.example, schema.default].filter((each) => each !== undefined),
    ];
    if (known.length > 0 && rng.next() < 0.2) return this.#one(known);
    const branches = schema.anyOf ?? schema.oneOf;
    if (branches !== undefined) return this.value(this.#one(branches) ?? {}, depth);
    const type = Array.isArray(schema.type) ? this.#one(schema.type) : schema.type;
    switch (type ?? (schema.properties === undefined ? undefined : "object")) {
      case "object":
        return this.#object(schema, depth);
      case "array":
        return depth > 6 ? [] : this.#array(schema, depth);
      case "string":
        return this.#text(schema);
      case "integer":
        return Math.trunc(this.#number(schema));
      case "number":
        return this.#number(schema);
      case "boolean":
        return rng.next() < 0.5;
      case "null":
        return null;
      default:
        return this.anything(depth);
    }
  }

  /** Any JSON value. */
  anything(depth = 0): unknown {
    const rng = this.#rng;
    switch (rng.between(0, depth > 4 ? 4 : 6)) {
      case 0:
        return null;
      case 1:
        return rng.next() < 0.5;
      case 2:
        return rng.pick(EDGES);
      case 3:
        return rng.between(-1_000, 1_000) / 4;
      case 4:
        return rng.pick(WORDS);
      case 5:
        return Array.from({ length: rng.between(0, 4) }, () => this.anything(depth + 1));
      default:
        return Object.fromEntries(
          Array.from({ length: rng.between(0, 4) }, () => [
            rng.pick(["n", "list", "zooid", "ok", "x"]),
            this.anything(depth + 1),
          ]),
        );
    }
  }

  #object(schema: JsonSchema, depth: number): Record<string, unknown> {
    const rng = this.#rng;
    const made: Record<string, unknown> = {};
    for (const part of [schema, ...(schema.allOf ?? [])]) {
      for (const [name, property] of Object.entries(part.properties ?? {})) {
        const needed = part.required?.includes(name) === true;
        if (needed ? rng.next() < 0.98 : depth < 5 && rng.next() < 0.4) made[name] = this.value(property, depth + 1);
      }
    }
    if (schema.additionalProperties !== false && depth < 5 && rng.next() < 0.5) {
      const extra = schema.additionalProperties;
      const key = rng.pick(["n", "list", "zooid", "ok", "ttr_ms", "niche"]);
      made[key] ??= typeof extra === "object" ? this.value(extra, depth + 1) : this.anything(depth + 1);
    }
    return made;
  }

  #array(schema: JsonSchema, depth: number): unknown[] {
    const low = schema.minItems ?? 0;
    const high = Math.min(schema.maxItems ?? 4, low + 4);
    return Array.from({ length: this.#rng.between(low, high) }, () => this.value(schema.items ?? {}, depth + 1));
  }

  #text({ format, pattern, minLength = 0, maxLength = 200 }: JsonSchema): string {
    const rng = this.#rng;
    if (pattern !== undefined && rng.next() < 0.95) {
      const form = new RegExp(pattern, "u");
      const fitting = WORDS.filter((word) => form.test(word));
      if (fitting.length > 0) return this.#one(fitting) ?? "";
    }
    if (format === "date-time") return new Date(1_790_000_000_000 + rng.between(-1e6, 1e6)).toISOString();
    if (format === "uri") return rng.pick(["http://127.0.0.1:9/", "https://hooks.example/a", "https://[2001:0::1]/"]);
    if (rng.next() < 0.05) return "x".repeat(Math.min(maxLength + rng.between(-1, 1), 70_000));
    const text = rng.next() < 0.7 ? rng.pick(WORDS) : `w${rng.between(0, 50)}`;
    return text.padEnd(minLength, "x").slice(0, Math.max(minLength, maxLength));
  }

  #number({ minimum, maximum, exclusiveMinimum }: JsonSchema): number {
    const rng = this.#rng;
    const low = minimum ?? exclusiveMinimum ?? 0;
    const high = maximum ?? low + 1_000;
    if (rng.next() < 0.2) return this.#one([low, high, low - 1, high + 1]) ?? low;
    return low + rng.next() * Math.min(high - low, 10_000);
  }

  #one<T>(choices: readonly T[]): T | undefined {
    return choices[this.#rng.between(0, choices.length - 1)];
  }
}
