import { AuditPage } from "../core/audit/api.ts";
import type { CallEdge } from "./http/request.ts";

interface Calls {
  readonly call: CallEdge;
  readonly inside: (path: string) => string;
}

export interface AuditFilter {
  /** Name or id of a token. */
  readonly by?: string;
  /** Text in the path. */
  readonly target?: string;
  /** RFC 3339 or seconds since the epoch. */
  readonly since?: string | number;
  readonly until?: string | number;
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: number;
}

/** Calls about who changed what. */
export function auditCalls({ call, inside }: Calls) {
  return {
    here: (filter: AuditFilter = {}) => call(AuditPage, { path: inside("/audit"), query: { ...filter } }),
    /** Of the deployment: tokens, and ecosystems that were deleted or imported. */
    ofDeployment: (filter: AuditFilter = {}) => call(AuditPage, { path: "/v1/audit", query: { ...filter } }),
  };
}
