/** Requirements of an investigation for its module to be integrated. */
export interface QualificationLimits {
  readonly prefix: string;
  readonly minimumConfidence: number;
  readonly minimumPyFiles: number;
}

/** A module that an investigation found. `path` is unchecked. */
export interface Candidate {
  readonly name: string;
  readonly path: string | undefined;
}

export type Qualification =
  | { readonly kind: "candidate"; readonly candidate: Candidate }
  /** The investigation is not about a module. */
  | { readonly kind: "not_a_module" }
  | { readonly kind: "not_qualified"; readonly name: string; readonly reason: string };

/** A dotted Python name. */
const MODULE_NAME = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,16}$/;

/**
 * Whether an investigation found a module to integrate: its hypothesis begins with the prefix, `actionable` is not
 * `false`, and its confidence and number of Python files, if given, are high enough.
 *
 * @param record - a line of the log of investigations
 */
export function qualify(record: Readonly<Record<string, unknown>>, limits: QualificationLimits): Qualification {
  const { hypothesis, module_name, module_path, actionable, confidence, py_files_count } = record;
  if (typeof hypothesis !== "string" || !hypothesis.startsWith(limits.prefix)) return { kind: "not_a_module" };
  const name = typeof module_name === "string" ? module_name : hypothesis.slice(limits.prefix.length);
  const refuse = (reason: string): Qualification => ({ kind: "not_qualified", name, reason });
  if (!MODULE_NAME.test(name) || name.length > 128) return refuse("the name is not that of a Python module");
  if (actionable === false) return refuse("the investigation is marked as not actionable");
  if (typeof confidence === "number" && confidence < limits.minimumConfidence)
    return refuse(`the confidence is ${confidence}, below ${limits.minimumConfidence}`);
  if (typeof py_files_count === "number" && py_files_count < limits.minimumPyFiles)
    return refuse(`the module has ${py_files_count} Python files, fewer than ${limits.minimumPyFiles}`);
  return { kind: "candidate", candidate: { name, path: typeof module_path === "string" ? module_path : undefined } };
}
