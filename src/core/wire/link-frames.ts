import * as z from "zod";
import { LIMITS } from "../signals/limits.ts";
import { Identifier } from "../signals/signal.ts";

/**
 * Frames of the agent's link (JSON text, subprotocol `ganglion.link.v1`). The agent opens it; the edge's
 * SignalLog holds the other end, so an append is one message without a hop.
 */
export const LINK_PROTOCOL = "ganglion.link.v1";

/** Text that the edge answers with {@link PONG} without waking the object that holds the link. */
export const PING = "ping";
export const PONG = "pong";

const Seq = z.int().nonnegative();
/**
 * What the patterns of a subscription may take in the attachment of their socket, of which the runtime stores 16,384 bytes.
 *
 * @see https://developers.cloudflare.com/durable-objects/api/websockets/#serializeattachment
 */
const MAX_PATTERN_BYTES = 9_000;
/** The runtime stores a text as Latin-1 where it can, and otherwise two bytes a character. */
const storedBytes = (text: string) => text.length * (/[^\0-\xff]/.test(text) ? 2 : 1) + 8;
const Patterns = z
  .array(
    z
      .string()
      .min(1)
      .max(LIMITS.nameLength + 1),
  )
  .max(64)
  .refine((patterns) => patterns.reduce((sum, pattern) => sum + storedBytes(pattern), 0) <= MAX_PATTERN_BYTES, {
    message: `the patterns of a subscription may take ${MAX_PATTERN_BYTES} bytes together: name fewer`,
  });

/**
 * Signals of an idempotent producer, numbered `first`, `first + 1`, … A producer's numbers only grow; a number that
 * the log has seen is dropped and counted. Numbers may be left out, because a spool may shed observations.
 */
export const AppendFrame = z.object({
  type: z.literal("append"),
  /** Chosen by the agent, repeated in the answer. */
  batch: z.int().nonnegative(),
  producer: Identifier,
  first: z.int().positive(),
  signals: z.array(z.unknown()).min(1).max(LIMITS.batchSignals),
});

/** Starts, or moves, the flow of signals to this end. `after` is the last sequence number already handled here. */
export const SubscribeFrame = z.object({
  type: z.literal("subscribe"),
  /** `null`: from now on. */
  after: Seq.nullable(),
  signals: Patterns,
  /** Chosen by the agent, repeated where the edge says how far this subscription has come. */
  number: z.int().nonnegative().optional(),
});

/** Everything up to `seq` has been handled: gives the sender credit for more. */
export const SeenFrame = z.object({ type: z.literal("seen"), seq: Seq });

/**
 * Answer to {@link GatherFrame}: facts by the name of the monitor, `{error}` for a monitor that failed, and no field for a
 * monitor that the host does not run. `status` repeats the content of {@link StatusFrame}, which may have been lost.
 */
export const FactsFrame = z.object({
  type: z.literal("facts"),
  request: z.string().max(LIMITS.identifierLength),
  facts: z.record(z.string(), z.unknown()),
});

/** Version, features and health of the host; sent when any of them changes. */
export const StatusFrame = z.object({ type: z.literal("status") }).loose();

/** Parts of the edge name themselves `ganglion/…` in their dead letters; an agent may not use such a name. */
const Daemon = z
  .string()
  .min(1)
  .max(1_024)
  .refine((daemon) => !daemon.startsWith("ganglion/"), {
    message: "the prefix ganglion/ is reserved for parts of the edge",
  });

/**
 * Dead letters of this host, for the ecosystem's dead-letter store. The edge recognises dead letters that it received before.
 * Their ids begin with the host's id and a full stop.
 */
export const DeadLettersFrame = z.object({
  type: z.literal("letters"),
  batch: z.int().nonnegative(),
  letters: z
    .array(
      z.object({
        id: z.string().min(1).max(1_024),
        kind: z.enum(["intent", "reaction", "signal"]),
        intent: z.unknown().optional(),
        reaction: z.unknown().optional(),
        signal: z.unknown().optional(),
        error: z.string().max(LIMITS.signalBytes),
        daemon: Daemon,
      }),
    )
    .min(1)
    .max(100),
});

export const AgentFrame = z.discriminatedUnion("type", [
  AppendFrame,
  SubscribeFrame,
  SeenFrame,
  FactsFrame,
  StatusFrame,
  DeadLettersFrame,
]);
export type AgentFrame = z.infer<typeof AgentFrame>;
/** A newer agent may send frames of other types: the edge ignores them and does not answer. */
export const AGENT_FRAME_TYPES: ReadonlySet<string> = new Set(AgentFrame.options.map(({ shape }) => shape.type.value));

/** A signal of an append that is not valid. It becomes a dead letter; the other signals of the append are in the log. */
const Rejection = z.object({
  /** Number of the signal within its producer. */
  number: z.int(),
  errors: z.array(z.object({ pointer: z.string(), message: z.string() })),
});

/** The batch is durable: the agent may forget everything of this producer up to and including `last`. */
export const AppendedFrame = z.object({
  type: z.literal("appended"),
  batch: z.int(),
  producer: z.string(),
  /** Last number of the producer that the log has handled. */
  last: z.int(),
  rejected: z.array(Rejection).optional(),
});

/** Signals in the order of the log. `last` is the sequence number of the last of them. */
export const SignalsFrame = z.object({
  type: z.literal("signals"),
  last: Seq,
  signals: z.array(z.record(z.string(), z.unknown())),
});

/**
 * The edge has more for the subscriber, and no room for it until what it has sent, up to `last`, is acknowledged. A
 * subscriber that acknowledges several deliveries at once sends what is due now.
 */
export const AcknowledgeFrame = z.object({ type: z.literal("acknowledge"), last: Seq });

/** The edge asks for facts that only the host knows. */
export const GatherFrame = z.object({
  type: z.literal("gather"),
  request: z.string(),
  monitors: z.array(z.string()),
  /** By monitor: the position from its last answer that the edge has stored, to continue from. */
  after: z.record(z.string(), z.string()).optional(),
  /**
   * Every signal up to `seq` that the subscription `number` matches has been sent before this frame. Without it, the cursor
   * of a host that few signals concern would grow old, and a later pattern would bring it days of signals.
   */
  complete: z.object({ number: z.int(), seq: Seq }).optional(),
  /** Of a round of the edge's cron: how often they come, and since when projections owe what they were sent. */
  edge: z.object({ round_ms: z.number().positive(), owed_since: z.number().optional() }).optional(),
});

/**
 * How long signals that follow others may gather on their host, in milliseconds: each append is a message and a row that
 * the edge is billed for. Without this frame an agent sends at once.
 */
export const PaceFrame = z.object({
  type: z.literal("pace"),
  observations_ms: z.number().nonnegative().max(10_000),
  others_ms: z.number().nonnegative().max(10_000),
});

/** What a {@link PaceFrame} says. */
export type LinkPace = Readonly<Omit<z.infer<typeof PaceFrame>, "type">>;

/**
 * The edge refused the whole frame. Until the producer's batch that was refused has been sent again, the edge refuses
 * its later ones too: the order of a producer survives an overload. `retry_after_ms`: the wait before the next attempt.
 * `batch` is that of an `append`; `frame` is the type of the frame, where the edge could read it, and `letters` the batch
 * of dead letters.
 */
export const RefusedFrame = z.object({
  type: z.literal("refused"),
  batch: z.int().nullable(),
  frame: z.string().optional(),
  letters: z.int().optional(),
  problem: z.object({ type: z.string(), title: z.string(), status: z.int(), detail: z.string().optional() }).loose(),
  retry_after_ms: z.int().optional(),
});

/** The dead letters of that frame are durable at the edge. */
export const DeadLetteredFrame = z.object({ type: z.literal("lettered"), batch: z.int() });

export const EdgeFrame = z.discriminatedUnion("type", [
  DeadLetteredFrame,
  AppendedFrame,
  SignalsFrame,
  AcknowledgeFrame,
  GatherFrame,
  PaceFrame,
  RefusedFrame,
]);
export type EdgeFrame = z.infer<typeof EdgeFrame>;
/** A newer edge may send frames of other types: the agent ignores them. */
export const EDGE_FRAME_TYPES: ReadonlySet<string> = new Set(EdgeFrame.options.map(({ shape }) => shape.type.value));
