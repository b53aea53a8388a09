import type { Schema } from "../../shell/schema.ts";
import { settings } from "./2-settings.ts";
import { trace } from "./3-trace.ts";
import { deliveryCounts } from "./4-counts.ts";

/** The steps from the first version of the store to this one, in their order. */
export const webhookSteps: Schema["steps"] = [settings, trace, deliveryCounts];
