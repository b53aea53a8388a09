import { AgentSession, AgentSessions, PartialSuccess } from "../../../core/agent-sessions/api.ts";
import { SessionSettings } from "../../../core/agent-sessions/settings.ts";
import { named } from "../http/schema-parts.ts";

export const AgentSessionsSchema = AgentSessions.extend({ sessions: named("AgentSession", AgentSession).array() });
export const SessionSettingsSchema = named("SessionSettings", SessionSettings);
export const PartialSuccessSchema = named("ExportAnswer", PartialSuccess);
