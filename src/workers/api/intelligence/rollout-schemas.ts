import { IntelligenceHealth, RolloutState, RolloutView } from "../../../core/intelligence/rollout/api.ts";
import { named } from "../http/schema-parts.ts";

export const RolloutStateSchema = named("RolloutState", RolloutState);
export const RolloutSchema = named("Rollout", RolloutView);
export const IntelligenceHealthSchema = named("IntelligenceHealth", IntelligenceHealth);
