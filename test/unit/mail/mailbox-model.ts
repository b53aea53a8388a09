import { expect } from "vitest";
import type { MailState } from "../../../src/core/mail/api.ts";
import { MAIL_LEASE_MS } from "../../../src/core/mail/mailbox.ts";
import fc from "../../fast-check.ts";
import { LIFE_MS, type MailboxUnderTest } from "./mailbox-under-test.ts";

interface ModelMessage {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly sentMs: number;
  state: MailState;
  deliveredMs: number | undefined;
  readMs: number | undefined;
  endedMs: number | undefined;
}

/** A mailbox as obvious as it can be: a list of messages in the order in which they were sent. */
export class ModelMailbox {
  nowMs = 0;
  readonly messages: ModelMessage[] = [];

  find(id: string): ModelMessage | undefined {
    return this.messages.find((one) => one.id === id);
  }

  waiting(to: string): ModelMessage[] {
    return this.messages.filter((one) => one.to === to && one.state === "sent");
  }

  deliver(message: ModelMessage): void {
    message.state = "delivered";
    message.deliveredMs = this.nowMs;
  }

  /** What was not delivered in its time expires, and what was delivered and not acted on in the same time after that. */
  see(): void {
    for (const one of this.messages) {
      if (one.endedMs === undefined && this.nowMs >= (one.deliveredMs ?? one.sentMs) + LIFE_MS) {
        one.state = "expired";
        one.endedMs = this.nowMs;
      }
    }
  }

  /** As the recipient has it: what lies before it in the box was seen with it. */
  deliverUpTo(message: ModelMessage): void {
    for (const one of this.waiting(message.to)) {
      this.deliver(one);
      if (one === message) return;
    }
  }
}

const expectedOf = ({ id, from, to, state, sentMs, deliveredMs, readMs, endedMs }: ModelMessage) =>
  [id, from, to, state, sentMs, deliveredMs ?? null, readMs ?? null, endedMs ?? null].join(" ");

type Command = fc.Command<ModelMailbox, MailboxUnderTest>;

/** Compares every message with its states and times, in order. */
export function compare(model: ModelMailbox, real: MailboxUnderTest): void {
  expect(real.all()).toEqual(model.messages.map(expectedOf));
}

/** Runs on both, and compares the answers. */
function command(name: string, run: (model: ModelMailbox, real: MailboxUnderTest) => void): Command {
  return {
    check: () => true,
    run: (model, real) => {
      model.see();
      run(model, real);
    },
    toString: () => name,
  };
}

const anyId = fc.integer({ min: 1, max: 12 }).map((number) => `m${number}`);
const anyone = fc.constantFrom("ada", "bob");

const send = fc.tuple(anyId, anyone, anyone).map(([id, from, to]) =>
  command(`send ${id} from ${from} to ${to}`, (model, real) => {
    const known = model.find(id) !== undefined;
    expect(real.send(id, from, to)).toBe(known ? "known" : "sent");
    const fresh = { deliveredMs: undefined, readMs: undefined, endedMs: undefined };
    if (!known) model.messages.push({ id, from, to, sentMs: model.nowMs, state: "sent", ...fresh });
  }),
);

const receive = fc.tuple(anyone, fc.integer({ min: 1, max: 4 })).map(([to, max]) =>
  command(`${to} receives ${max}`, (model, real) => {
    const expected = model.waiting(to).slice(0, max);
    // In the order in which they were sent, and none of them a second time.
    expect(real.receive(to, max)).toEqual(expected.map(({ id }) => id));
    for (const one of expected) model.deliver(one);
  }),
);

const read = anyId.map((id) =>
  command(`read ${id}`, (model, real) => {
    const message = model.find(id);
    const open = message !== undefined && message.endedMs === undefined;
    expect(real.read(id)).toBe(open || message?.state === "acted");
    if (!open) return;
    if (message.state === "sent") model.deliverUpTo(message);
    message.state = "read";
    message.readMs ??= model.nowMs;
  }),
);

const act = anyId.map((id) =>
  command(`act on ${id}`, (model, real) => {
    const message = model.find(id);
    const open = message !== undefined && message.endedMs === undefined;
    expect(real.act(id)).toBe(open || message?.state === "acted");
    if (!open) return;
    if (message.state === "sent") model.deliverUpTo(message);
    message.readMs ??= model.nowMs;
    message.state = "acted";
    message.endedMs = model.nowMs;
  }),
);

const withdraw = anyId.map((id) =>
  command(`withdraw ${id}`, (model, real) => {
    const message = model.find(id);
    const open = message !== undefined && message.endedMs === undefined;
    expect(real.withdraw(id)).toBe(open);
    if (!open) return;
    message.state = "withdrawn";
    message.endedMs = model.nowMs;
  }),
);

const pass = fc.constantFrom(1, 1_000, LIFE_MS / 2, LIFE_MS, MAIL_LEASE_MS).map((ms) =>
  command(`pass ${ms} ms`, (model, real) => {
    model.nowMs += ms;
    model.see();
    real.pass(ms);
  }),
);

const crash = fc.constant(
  command("crash", (model, real) => {
    real.crash();
    compare(model, real);
  }),
);

export const anyCorrespondence = fc.commands(
  [send, send, send, send, receive, receive, receive, read, read, act, act, withdraw, pass, pass, crash],
  {
    maxCommands: 40,
  },
);
