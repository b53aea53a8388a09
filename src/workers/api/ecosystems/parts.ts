import { problem } from "../../../core/problem/problem.ts";
import {
  RESTARTED,
  type TransferAnswer,
  type TransferRequest,
} from "../../../durable-objects/shell/object-transfer.ts";
import { ecosystemObjects } from "../../bindings/ecosystem-objects.ts";
import type { Environment } from "../../bindings/environment.ts";
import { directory, linkRelay, priorityQueue } from "../../bindings/objects.ts";
import { Refusal } from "../http/refusal.ts";

/** An object of an ecosystem, as an export names it. */
export interface Part {
  readonly name: string;
  transfer(request: TransferRequest): Promise<TransferAnswer>;
}

/** Each call of the API calls every object a few times, and one invocation may make a thousand such calls. */
export const MAX_QUEUES = 200;

/** How long the objects stand still after a page; the next page extends the time. */
const HOLD_MS = 60_000;
const ROUNDS = 10;
const BETWEEN_ROUNDS_MS = 50;

const QUEUE = "PriorityQueue/";

/** The objects that every ecosystem has, and that are deleted with it. */
export function allParts(env: Environment, eco: string): Part[] {
  const stubs = ecosystemObjects(env, eco);
  return Object.entries(stubs).map(([name, stub]) => ({ name, transfer: (request) => stub.transfer(request) }));
}

/** Those of them that hold something that can be copied: the lobby has nothing but sockets. */
function ownParts(env: Environment, eco: string): Part[] {
  return allParts(env, eco).filter(({ name }) => name !== "QueueLobby");
}

export function queuePart(env: Environment, eco: string, queue: string): Part {
  const stub = priorityQueue(env, eco, queue);
  return { name: QUEUE + queue, transfer: (request) => stub.transfer(request) };
}

/** A relay of links. It stores nothing but its name: no export holds it. */
export function relayPart(env: Environment, eco: string, relay: string): Part {
  const stub = linkRelay(env, eco, relay);
  return { name: `LinkRelay/${relay}`, transfer: (request) => stub.transfer(request) };
}

export async function partsOf(env: Environment, eco: string): Promise<Part[]> {
  const queues = await directory(env).queues(eco);
  if (queues.length > MAX_QUEUES) {
    const detail = `The ecosystem has ${queues.length} queues, and ${MAX_QUEUES} can be copied.`;
    throw new Refusal(problem("too-many-queues", 409, "Too many queues", detail));
  }
  return [...ownParts(env, eco), ...queues.map(({ name }) => queuePart(env, eco, name))];
}

/** The part of this name; `undefined`: no object has such a name. */
export function partNamed(env: Environment, eco: string, name: string): Part | undefined {
  if (name.startsWith(QUEUE)) return queuePart(env, eco, name.slice(QUEUE.length));
  return ownParts(env, eco).find((part) => part.name === name);
}

/** Makes all objects stand still: none takes a call, so what is under way in each ends within moments. */
export async function suspend(parts: readonly Part[], id: string): Promise<void> {
  let moving = parts;
  for (let round = 0; round < ROUNDS; round++) {
    const untilMs = Date.now() + HOLD_MS;
    const answers = await Promise.all(moving.map((part) => part.transfer({ do: "suspend", id, untilMs })));
    moving = moving.filter((_, place) => !isStill(answers[place]));
    if (moving.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_ROUNDS_MS));
  }
  await resume(parts);
  const names = moving.map(({ name }) => name).join(", ");
  throw new Refusal(problem("busy", 503, "The ecosystem is busy", `These objects keep writing: ${names}. Try again.`));
}

const isStill = (answer: TransferAnswer | undefined) => answer !== undefined && "still" in answer && answer.still;

/** Holds the objects until the next page, at the latest for as long as a first page would. */
export async function extend(parts: readonly Part[], id: string): Promise<void> {
  const untilMs = Date.now() + HOLD_MS;
  await Promise.all(parts.map((part) => part.transfer({ do: "extend", id, untilMs })));
}

export async function resume(parts: readonly Part[]): Promise<void> {
  await Promise.all(parts.map((part) => part.transfer({ do: "resume" })));
}

/** Starts objects anew, with the state that is on their disk now. The runtime reports that as an error. */
export async function restart(parts: readonly Part[]): Promise<void> {
  await Promise.all(
    parts.map(async (part) => {
      try {
        await part.transfer({ do: "restart" });
      } catch (error) {
        if (!String(error).includes(RESTARTED)) throw error;
      }
    }),
  );
}
