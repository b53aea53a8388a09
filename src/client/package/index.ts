/** The package `@ganglion/client`, as far as it works everywhere: in Node, in browsers and in Workers. */

export type { CreatedToken, TokenRecord } from "../../core/access/api.ts";
export type { SessionRecord } from "../../core/access/session.ts";
export type { AgentSession } from "../../core/agent-sessions/api.ts";
export type { Attention, AttentionItem, AttentionPage } from "../../core/attention/api.ts";
export type { AuditEntry } from "../../core/audit/api.ts";
export type { DeadLetter } from "../../core/dead-letters/dead-letter.ts";
export type { EcosystemStatus } from "../../core/deployment/api.ts";
export type { FileTaskRecord, FileWorkerView } from "../../core/file-tasks/api.ts";
export type { AgentView } from "../../core/hosts/api.ts";
export type {
  Gap,
  HistoryPage,
  HistoryPoint,
  Maintenance,
  Observation,
  ScannerStatus,
} from "../../core/introspection/api.ts";
export type { Lineage } from "../../core/lineage/api.ts";
export type { Lock, LockAnswer, LockPage, LockWait } from "../../core/locks/api.ts";
export type { MailMessage, MailPage, SentMail } from "../../core/mail/api.ts";
export type { Overview } from "../../core/overview/api.ts";
export type { Expectation, Policy, PolicyVersion } from "../../core/policy/api.ts";
export type { Decision } from "../../core/policy/decision.ts";
export type { Rule } from "../../core/policy/rule.ts";
export type { FieldError } from "../../core/problem/field-error.ts";
export type { Problem } from "../../core/problem/problem.ts";
export type {
  Bottlenecks,
  CallReply,
  LeasedTask,
  PendingCall,
  QueueEvent,
  QueueStatus,
  TaskReceipt,
  TaskView,
} from "../../core/queue/api.ts";
export type { SignalPage } from "../../core/signals/api.ts";
export type { Facts, Signal, SignalInput } from "../../core/signals/signal.ts";
export type { DeliveryView, Endpoint } from "../../core/webhooks/api.ts";
export { type Client, type ClientOptions, createClient } from "../client.ts";
export type { Credential, Fetch } from "../http/exchange.ts";
export { ApiProblem, EdgeUnreachable, UnreadableAnswer } from "../http/problem-errors.ts";
export { isTransient, type RetryOptions } from "../http/retry.ts";
export type { LockOptions } from "../locks/acquire-waiting.ts";
export { LockLost } from "../locks/lock-keeper.ts";
export { type KeptLock, LockNotAvailable } from "../locks/locks-over.ts";
export type { OpenSource } from "../stream/signal-source.ts";
