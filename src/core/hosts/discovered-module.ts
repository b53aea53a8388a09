/** A module that a line of the log of investigations names. `path` is unchecked. */
export interface DiscoveredModule {
  readonly name: string;
  readonly path: string | undefined;
  readonly pyFiles: number | undefined;
  /** A truth value in the spelling of its program. */
  readonly hasInit: unknown;
}

/** A dotted Python name. */
const MODULE_NAME = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,16}$/;
const MAX_NAME = 128;

export const isModuleName = (text: string): boolean => text.length <= MAX_NAME && MODULE_NAME.test(text);

/**
 * Reads a line of `curiosity_investigations.jsonl` whose hypothesis begins with `prefix`. Newer investigators name the module
 * and what they found by fields of their own. Older ones write {capability, hypothesis, evidence}: the name is `capability`,
 * because the hypothesis has it in capitals, and the evidence is a list of texts such as `path:/srv/organs/vision`,
 * `has_init:False` and `py_files:3`.
 *
 * @returns `undefined` for an investigation that is not about a module
 */
export function discoveredModule(
  record: Readonly<Record<string, unknown>>,
  prefix: string,
): DiscoveredModule | undefined {
  const { hypothesis, capability, module_name, module_path, py_files_count, has_init } = record;
  if (typeof hypothesis !== "string" || !hypothesis.startsWith(prefix)) return undefined;
  const evidence = evidenceOf(record.evidence);
  // A capability may be described by words of any kind.
  const named = textOf(capability);
  const ofCapability = named !== undefined && isModuleName(named) ? named : undefined;
  return {
    name: textOf(module_name) ?? ofCapability ?? hypothesis.slice(prefix.length),
    path: textOf(module_path) ?? textOf(evidence.get("path")),
    pyFiles: countOf(py_files_count) ?? countOf(evidence.get("py_files")),
    hasInit: has_init ?? evidence.get("has_init"),
  };
}

/** The first text of each kind counts. */
function evidenceOf(evidence: unknown): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const item of Array.isArray(evidence) ? evidence : []) {
    const [, kind, value] = (typeof item === "string" && /^\s*(\w+)\s*:\s*(.*?)\s*$/s.exec(item)) || [];
    if (kind !== undefined && value !== undefined && !found.has(kind)) found.set(kind, value);
  }
  return found;
}

const textOf = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

function countOf(value: unknown): number | undefined {
  const count = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof count === "number" && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}
