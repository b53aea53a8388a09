import * as z from "zod";
import { fieldErrors } from "../problem/field-errors.ts";
import { canonicalDomain } from "./domains.ts";
import { NODE_TYPES, type NodeType } from "./node-types.ts";

const Text = z.string().trim().min(1, "is blank").max(2_000);
const Domain = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/, "the name of a domain starts with a letter and holds a-z, 0-9 and _ (64 at most)");

/** A short rule of practice, and the subject that it is about. */
const Practice = z.strictObject({
  subject: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, "a subject is a few words joined by -, such as retry-back-off"),
  rule: Text,
});
export type Practice = z.output<typeof Practice>;

const byDomain = <Schema extends z.ZodType>(each: Schema) => z.record(Domain, z.array(each));
const Example = z.strictObject({ code: z.string().min(1).max(8_000), context: Text });

/** What the library says about nodes of one type. Lists are by domain; `all` holds for every domain. */
const TypeSection = z.strictObject({
  common_operations: z.array(Text).optional(),
  performance_targets: z.record(z.string(), z.number()).optional(),
  required_mixins: byDomain(Text).optional(),
  practices: byDomain(Practice).optional(),
  error_scenarios: byDomain(Text).optional(),
  anti_patterns: byDomain(Text).optional(),
  dependencies: byDomain(z.strictObject({ name: Text, type: Text })).optional(),
  testing: byDomain(Text).optional(),
  security: byDomain(Text).optional(),
  examples: byDomain(Example).optional(),
});
type TypeSection = z.output<typeof TypeSection>;

/** A library: the built-in one, or a file of the user's that adds to it. */
export const Library = z.strictObject({
  version: z.literal(1, "give version: 1"),
  node_types: z.partialRecord(z.enum(NODE_TYPES, `give ${NODE_TYPES.join(", ")}`), TypeSection),
});
export type Library = z.output<typeof Library>;

/**
 * Reads a library from the value of its YAML file.
 *
 * @param name - of the file, for errors
 * @throws Error that names the place of each problem
 */
export function readLibrary(value: unknown, name: string): Library {
  const read = Library.safeParse(value);
  if (read.success) return read.data;
  const errors = fieldErrors(read.error.issues, "", undefined);
  throw new Error(
    `the library ${name} cannot be read: ${errors.map(({ pointer, message }) => `${pointer || "/"}: ${message}`).join("; ")}`,
  );
}

/**
 * A library with what another one adds. Its lists come after those of the first; a practice on the same subject, and a
 * performance target of the same name, take the place of the first one's.
 */
export function extendLibrary(library: Library, by: Library): Library {
  const node_types = { ...library.node_types };
  for (const type of NODE_TYPES) {
    const added = by.node_types[type];
    if (added !== undefined) node_types[type] = extendSection(library.node_types[type] ?? {}, added);
  }
  return { version: 1, node_types };
}

function extendSection(section: TypeSection, by: TypeSection): TypeSection {
  return {
    common_operations: [...new Set([...(section.common_operations ?? []), ...(by.common_operations ?? [])])],
    performance_targets: { ...section.performance_targets, ...by.performance_targets },
    required_mixins: joined(section.required_mixins, by.required_mixins),
    practices: joined(section.practices, by.practices, ({ subject }) => subject),
    error_scenarios: joined(section.error_scenarios, by.error_scenarios),
    anti_patterns: joined(section.anti_patterns, by.anti_patterns),
    dependencies: joined(section.dependencies, by.dependencies, ({ name }) => name),
    testing: joined(section.testing, by.testing),
    security: joined(section.security, by.security),
    examples: joined(section.examples, by.examples, ({ code }) => code),
  };
}

type ByDomain<Entry> = Readonly<Record<string, Entry[]>> | undefined;

function joined<Entry>(
  first: ByDomain<Entry>,
  second: ByDomain<Entry>,
  keyOf: (entry: Entry) => string = String,
): Record<string, Entry[]> {
  const all = new Map(Object.entries(first ?? {}));
  for (const [domain, entries] of Object.entries(second ?? {})) {
    const byKey = new Map([...(all.get(domain) ?? []), ...entries].map((entry) => [keyOf(entry), entry]));
    all.set(domain, [...byKey.values()]);
  }
  return Object.fromEntries(all);
}

const texts = z.array(z.string()).readonly();

/** What the library knows about a kind of node in a domain. */
export const LibraryFindings = z.strictObject({
  /** The canonical domain. */
  domain: z.string(),
  node_type_patterns: texts,
  domain_best_practices: texts,
  common_operations: texts,
  required_mixins: texts,
  performance_targets: z.record(z.string(), z.number()).readonly(),
  error_scenarios: texts,
  anti_patterns: texts,
  recommended_dependencies: z.array(z.strictObject({ name: z.string(), type: z.string() })).readonly(),
  testing_recommendations: texts,
  security_considerations: texts,
  code_examples: z.array(z.strictObject({ code: z.string(), context: z.string() })).readonly(),
});
export type LibraryFindings = z.output<typeof LibraryFindings>;

/** How long nodes of a type that the library does not know may take. */
const UNKNOWN_TYPE_TARGETS = { max_execution_time_ms: 1_000 } as const;

/** @param type - `undefined`: a type that nobody knows, about which there is nothing to say */
export function lookUp(library: Library, type: NodeType | undefined, givenDomain: string): LibraryFindings {
  const domain = canonicalDomain(givenDomain);
  const section = type === undefined ? undefined : library.node_types[type];
  const of = <Entry>(entries: ByDomain<Entry>): Entry[] => [...(entries?.all ?? []), ...own(entries)];
  const own = <Entry>(entries: ByDomain<Entry>): Entry[] =>
    domain !== "all" && entries !== undefined && Object.hasOwn(entries, domain) ? (entries[domain] ?? []) : [];
  return {
    domain,
    node_type_patterns: (section?.practices?.all ?? []).map(({ rule }) => rule),
    domain_best_practices: own(section?.practices).map(({ rule }) => rule),
    common_operations: section?.common_operations ?? [],
    required_mixins: [...new Set(of(section?.required_mixins))],
    performance_targets: section?.performance_targets ?? (type === undefined ? UNKNOWN_TYPE_TARGETS : {}),
    error_scenarios:
      own(section?.error_scenarios).length > 0 ? own(section?.error_scenarios) : (section?.error_scenarios?.all ?? []),
    anti_patterns: of(section?.anti_patterns),
    recommended_dependencies: of(section?.dependencies),
    testing_recommendations: of(section?.testing),
    security_considerations: of(section?.security),
    code_examples: of(section?.examples),
  };
}
