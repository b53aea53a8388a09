import type { Caller } from "../../../core/access/grant.ts";
import type { Environment } from "../../bindings/environment.ts";

/** The API's environment in the form that Hono expects. */
export interface ApiEnv {
  Bindings: Environment;
  /** Who calls, and what the caller may do. */
  Variables: {
    grant: Caller;
    /** Of a request with an `Idempotency-Key`: from which the ids of what it makes follow. */
    repeatable?: string;
  };
}
