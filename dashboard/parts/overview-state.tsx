import type { ComponentChildren } from "preact";
import type { Overview } from "../../src/core/overview/api.ts";
import { overview, reloadOverview } from "../base/overview.ts";
import { Loaded } from "./basics.tsx";

/** What a view makes of the overview, once there is one. */
export function OverviewState({ children }: { readonly children: (overview: Overview) => ComponentChildren }) {
  const polled = overview.value ?? { value: undefined, error: undefined };
  return <Loaded of={{ ...polled, reload: reloadOverview }}>{children}</Loaded>;
}
