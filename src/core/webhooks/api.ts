import type { FieldError } from "../problem/field-error.ts";
import type { Endpoint } from "./endpoint.ts";

/** What comes of putting an endpoint, or changing it. */
export type EndpointAnswer =
  | {
      readonly endpoint: Endpoint;
      readonly created: boolean;
      /** Only where one was made, this once. */
      readonly secret?: string;
    }
  | { readonly refused: readonly FieldError[] }
  | { readonly unknown: true }
  | { readonly full: true };
