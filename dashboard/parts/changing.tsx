import type { ComponentChildren } from "preact";
import type { Scope } from "../../src/core/access/scopes.ts";
import { may, mayAct } from "../base/session.ts";

interface ChangingProps {
  /** What the token of the session must be good for; default: nothing in particular. */
  readonly scope?: Scope;
  readonly children: ComponentChildren;
}

/** What only a session that may change things is shown. The bar above says of the others that they read. */
export function Changing({ scope, children }: ChangingProps) {
  return mayAct.value && (scope === undefined || may(scope)) ? children : null;
}
