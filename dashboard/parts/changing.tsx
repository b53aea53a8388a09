import type { ComponentChildren } from "preact";
import { mayAct } from "../base/session.ts";

/** What only a session that may change things is shown. The bar above says of the others that they read. */
export function Changing({ children }: { readonly children: ComponentChildren }) {
  return mayAct.value ? children : null;
}
