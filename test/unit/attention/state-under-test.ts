import type { EcosystemState } from "../../../src/core/attention/ecosystem-state.ts";
import type { DeadLetterDigest } from "../../../src/core/dead-letters/digest.ts";
import type { FleetHost, FleetProcess } from "../../../src/core/hosts/fleet.ts";
import type { Gap } from "../../../src/core/introspection/api.ts";

export const AT = "2026-01-01T00:00:00.000Z";
export const LATER = "2026-01-02T00:00:00.000Z";

export const quiet: EcosystemState = {
  ecosystem: "e",
  hosts: [],
  sessions: [],
  gaps: [],
  scanners: [],
  quarantined: [],
  late: [],
  queues: [],
  deadLetters: { open: 0, newest: [] },
  webhooks: [],
  forwardsWaiting: {},
  budget: undefined,
  models: undefined,
  damaged: undefined,
  undelivered: {},
  nowMs: Date.parse(LATER),
};

export const host = (name: string, more: Partial<FleetHost> = {}): FleetHost => ({
  host: name,
  state: "up",
  since: AT,
  reason: "linked",
  last_seen: AT,
  version: null,
  alerts: [],
  processes: [],
  ...more,
});

export const down = (name: string, more: Partial<FleetHost> = {}) =>
  host(name, { state: "down", reason: "link_lost", ...more });

export const process = (name: string, more: Partial<FleetProcess> = {}): FleetProcess => ({
  name,
  state: "up",
  verdict: "working",
  task: null,
  waiting_for: null,
  since: AT,
  restarts: 0,
  detail: null,
  ...more,
});

export const gap = (name: string, alignment_score: number, reporters: readonly string[] = []): Gap => ({
  name,
  category: "resource",
  type: "t",
  reason: "too hot",
  alignment_score,
  install_cost: 0,
  metadata: { reporters },
  status: "open",
  raised_at: AT,
  last_seen_at: AT,
  fingerprint: name,
});

export const queue = (name: string, more: Partial<EcosystemState["queues"][number]> = {}) => ({
  queue: name,
  alerts: [],
  breakers: [],
  by_recipient: {},
  ...more,
});

export const alert = (rule: string, subject = "queue", raised_at = AT) => ({ rule, subject, raised_at });

export const letter = (id: string, more: Partial<DeadLetterDigest> = {}): DeadLetterDigest => ({
  id,
  kind: "signal",
  daemon: "test",
  error: "no",
  firstFailedAt: AT,
  ...more,
});
export const letters = (...newest: DeadLetterDigest[]) => ({ open: newest.length, newest });

export const webhook = (id: string, more: Partial<EcosystemState["webhooks"][number]> = {}) => ({
  id,
  enabled: true,
  waiting: 1,
  ...more,
});
