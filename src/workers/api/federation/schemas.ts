import { Bridges, BridgeView } from "../../../core/federation/bridge.ts";
import { named } from "../http/schema-parts.ts";

export const BridgeSchema = named("Bridge", BridgeView);
export const BridgesSchema = named("Bridges", Bridges.extend({ bridges: BridgeSchema.array() }));
