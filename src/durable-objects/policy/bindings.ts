import type { Answer, Question } from "../../core/models/question.ts";
import type { WatchCalls } from "../shell/attention-nudge.ts";
import type { MaintenanceCalls } from "../shell/effect-relay.ts";
import type { ExportBindings } from "../shell/export-outbox.ts";
import { type Namespace, objectNamed } from "../shell/ports.ts";
import type { LogCalls, ProjectionEnvironment } from "../shell/projection-environment.ts";
import type { ContextPorts } from "./question-context.ts";
import type { PolicyLog } from "./rule-projection.ts";

/** Bindings that the rules use. */
export interface PolicyBindings extends ProjectionEnvironment, ExportBindings {
  readonly SIGNAL_LOG: Namespace<LogCalls & PolicyLog & WatchCalls & Pick<ContextPorts, "read">>;
  readonly OBSERVATION_CACHE: Namespace<MaintenanceCalls & Pick<ContextPorts, "gaps">>;
  readonly AGENT_REGISTRY: Namespace<Pick<ContextPorts, "agent" | "agents">>;
  readonly MODELS: Namespace<{ ask(question: Question): Promise<Answer> }>;
}

/** What a question's context is gathered from. @param decisions - of this ecosystem */
export function contextPorts(
  env: PolicyBindings,
  ecosystem: string,
  decisions: ContextPorts["decisions"],
): ContextPorts {
  const hosts = () => objectNamed(env.AGENT_REGISTRY, ecosystem, env);
  return {
    decisions,
    read: (query) => objectNamed(env.SIGNAL_LOG, ecosystem, env).read(query),
    gaps: (status) => objectNamed(env.OBSERVATION_CACHE, ecosystem, env).gaps(status),
    agent: (host) => hosts().agent(host),
    agents: (query) => hosts().agents(query),
  };
}
