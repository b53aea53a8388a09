/** The result of one check of the doctor. */
export interface DoctorFinding {
  readonly check: string;
  readonly verdict: "ok" | "warning" | "error";
  readonly detail: string;
  /** What to do; absent when the check passed. */
  readonly fix?: string;
}

export const ok = (check: string, detail: string): DoctorFinding => ({ check, verdict: "ok", detail });
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
