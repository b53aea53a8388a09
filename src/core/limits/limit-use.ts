import type { SettleRequest } from "./api.ts";

/** Something that was used of a limit without a reservation, on its way to the limits. */
export interface LimitUse {
  readonly kind: "limit";
  readonly limit: string;
  readonly request: SettleRequest;
}
