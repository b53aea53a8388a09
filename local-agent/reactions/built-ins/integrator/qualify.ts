/** What has to be true of an investigation for its module to be integrated. */
export interface QualificationLimits {
  readonly prefix: string;
  readonly minimumConfidence: number;
  readonly minimumPyFiles: number;
}

/** A module that an investigation speaks of. `path` as the investigation gives it. */
export interface Candidate {
  readonly name: string;
  readonly path: string | undefined;
}

export type Qualification =
  | { readonly kind: "candidate"; readonly candidate: Candidate }
  /** It is about something else: there is nothing to do and nothing to say. */
  | { readonly kind: "not_a_module" }
  | { readonly kind: "not_qualified"; readonly name: string; readonly reason: string };

/** A dotted name of Python. */
const MODULE_NAME = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,16}$/;

/**
 * Whether an investigation found a module that is to be integrated: its hypothesis begins with the prefix, it is not
 * called unactionable, and its confidence and number of Python files, where it tells them, are high enough.
 *
 * @param record - a line of the log of investigations
 */
export function qualify(record: Readonly<Record<string, unknown>>, wanted: QualificationLimits): Qualification {
  const { hypothesis, module_name, module_path, actionable, confidence, py_files_count } = record;
  if (typeof hypothesis !== "string" || !hypothesis.startsWith(wanted.prefix)) return { kind: "not_a_module" };
  const name = typeof module_name === "string" ? module_name : hypothesis.slice(wanted.prefix.length);
  const refuse = (reason: string): Qualification => ({ kind: "not_qualified", name, reason });
  if (!MODULE_NAME.test(name) || name.length > 128) return refuse("its name is no name of a Python module");
  if (actionable === false) return refuse("the investigation calls it not actionable");
  if (typeof confidence === "number" && confidence < wanted.minimumConfidence)
    return refuse(`its confidence is ${confidence}, below ${wanted.minimumConfidence}`);
  if (typeof py_files_count === "number" && py_files_count < wanted.minimumPyFiles)
    return refuse(`it has ${py_files_count} Python files, fewer than ${wanted.minimumPyFiles}`);
  return { kind: "candidate", candidate: { name, path: typeof module_path === "string" ? module_path : undefined } };
}
