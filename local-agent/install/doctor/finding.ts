/** What the doctor found out about one thing. */
export interface DoctorFinding {
  readonly check: string;
  readonly verdict: "ok" | "warning" | "error";
  readonly detail: string;
  /** What to do; absent where nothing has to be done. */
  readonly fix?: string;
}

export const ok = (check: string, detail: string): DoctorFinding => ({ check, verdict: "ok", detail });
export const warning = (check: string, detail: string, fix: string): DoctorFinding => ({
  ...{ check, verdict: "warning" as const, detail, fix },
});
export const error = (check: string, detail: string, fix: string): DoctorFinding => ({
  ...{ check, verdict: "error" as const, detail, fix },
});
