/** JSON Schema as the OpenAPI document has it. Keywords that say nothing about the type are left out. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
}

const REFERENCE = "#/components/schemas/";
const SCALARS: Readonly<Record<string, string>> = {
  string: "str",
  integer: "int",
  number: "float",
  boolean: "bool",
  null: "None",
};
const KEYWORDS = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except finally for from global if " +
    "import in is lambda nonlocal not or pass raise return try while with yield"
  ).split(" "),
);

export const isPythonName = (name: string): boolean => /^[A-Za-z_]\w*$/.test(name) && !KEYWORDS.has(name);

/**
 * Writes Python types of schemas. An object with named fields is a TypedDict; one inside of another is named after it and
 * its field.
 */
export class TypeWriter {
  /** Definitions by name, in the order in which they were met. */
  readonly definitions = new Map<string, string>();

  /** The type of a schema. @param name - of the TypedDict, if the schema wants one */
  typeOf(schema: Schema, name: string): string {
    if (schema.$ref !== undefined) return referred(schema.$ref);
    if (schema.const !== undefined) return literal([schema.const]);
    if (schema.enum !== undefined) return literal(schema.enum);
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices !== undefined) {
      const objects = choices.filter(({ properties }) => properties !== undefined).length;
      return union(choices.map((one, index) => this.typeOf(one, objects > 1 ? `${name}${index + 1}` : name)));
    }
    // Beside its first part the second one only describes, or allows null.
    const [whole, ...others] = schema.allOf ?? [];
    if (whole?.$ref !== undefined) {
      const nullable = others.some(({ type }) => Array.isArray(type) && type.includes("null"));
      return union([this.typeOf(whole, name), ...(nullable ? ["None"] : [])]);
    }
    const types = [schema.type ?? []].flat();
    return types.length === 0 ? "Any" : union(types.map((type) => this.#ofType(type, schema, name)));
  }

  /** Defines a name for a schema. */
  define(name: string, schema: Schema): void {
    const isOneObject = schema.type === "object" && schema.anyOf === undefined && schema.oneOf === undefined;
    const type = this.typeOf(schema, isOneObject ? name : `${name}Fields`);
    if (type !== name) this.definitions.set(name, `${name}: TypeAlias = ${JSON.stringify(type)}`);
  }

  #ofType(type: string, schema: Schema, name: string): string {
    if (type === "array") {
      if (schema.prefixItems !== undefined) {
        return `tuple[${schema.prefixItems.map((item, index) => this.typeOf(item, `${name}${index + 1}`)).join(", ")}]`;
      }
      return `list[${schema.items === undefined ? "Any" : this.typeOf(schema.items, `${name}Item`)}]`;
    }
    return type === "object" ? this.#ofObject(schema, name) : (SCALARS[type] ?? "Any");
  }

  #ofObject({ properties = {}, required = [], additionalProperties }: Schema, name: string): string {
    const fields = Object.entries(properties);
    // Fields that have no name in the schema could not be read from a TypedDict.
    if (fields.length === 0 || additionalProperties === true) {
      const values = typeof additionalProperties === "object" ? additionalProperties : undefined;
      return `dict[str, ${values === undefined ? "Any" : this.typeOf(values, `${name}Value`)}]`;
    }
    this.definitions.set(name, ""); // keeps the place of the whole before its parts
    const typed = fields.map(([field, schema]) => {
      const type = this.typeOf(schema, name + pascal(field));
      return [field, required.includes(field) ? type : `NotRequired[${type}]`] as const;
    });
    const asClass = typed.every(([field]) => isPythonName(field));
    this.definitions.set(
      name,
      asClass
        ? [`class ${name}(TypedDict):`, ...typed.map(([field, type]) => `    ${field}: ${type}`)].join("\n")
        : [
            `${name} = TypedDict(`,
            `    ${JSON.stringify(name)},`,
            "    {",
            ...typed.map(([field, type]) => `        ${JSON.stringify(field)}: ${quoted(type)},`),
            "    },",
            ")",
          ].join("\n"),
    );
    return name;
  }
}

export const pascal = (text: string): string =>
  text.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** A signal's facts are what its sender says; the names of their schemas hold dots. */
function referred(reference: string): string {
  const name = reference.replace(REFERENCE, "");
  return name.startsWith("Facts.") ? "dict[str, Any]" : name;
}

function literal(values: readonly unknown[]): string {
  const written = values.map((value) =>
    value === null ? "None" : typeof value === "boolean" ? (value ? "True" : "False") : JSON.stringify(value),
  );
  return `Literal[${written.join(", ")}]`;
}

function union(types: readonly string[]): string {
  const each = [...new Set(types)];
  return each.includes("Any") ? "Any" : each.join(" | ");
}

/** A type as a Python text: literals hold double quotes. */
const quoted = (type: string): string => (type.includes('"') ? `'${type}'` : `"${type}"`);
