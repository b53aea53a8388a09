/** The result of one check of the doctor. */
export interface DoctorFinding {
  readonly check: string;
  /** `unknown`: the check could not be made, for the reason in `detail`. */
  readonly verdict: "ok" | "unknown" | "warning" | "error";
  readonly detail: string;
  /** What to do; absent when the check passed. */
  readonly fix?: string;
}

export const ok = (check: string, detail: string): DoctorFinding => ({ check, verdict: "ok", detail });
export const unknown = (check: string, detail: string, fix?: string): DoctorFinding => ({
  check,
  verdict: "unknown",
  detail,
  ...(fix !== undefined && { fix }),
});
export const warning = (check: string, detail: string, fix: string): DoctorFinding => ({
  check,
  verdict: "warning",
  detail,
  fix,
});
export const error = (check: string, detail: string, fix: string): DoctorFinding => ({
  check,
  verdict: "error",
  detail,
  fix,
});

const MARKS = { ok: "ok     ", unknown: "unknown", warning: "warning", error: "ERROR  " } as const;

/** For people. */
export function findingLine({ check, verdict, detail, fix }: DoctorFinding): string {
  return `${MARKS[verdict]} ${check}: ${detail}${fix === undefined ? "" : `\n        → ${fix}`}`;
}
