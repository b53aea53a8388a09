import type { Scope } from "../../../src/core/access/scopes.ts";
import { aTask } from "../queue/queue-under-test.ts";

/** Host and recipient that the frames name, to which the bound principals are not bound. */
export const NAME = "gpu-01";

/** The scope beside `tasks:work` that a frame of the worker's channel needs; in the queue `hosts` the second one. */
export const FRAME_SCOPES: Readonly<Record<string, readonly [Scope, Scope] | null>> = {
  ready: null,
  complete: null,
  fail: null,
  extend: null,
  release: null,
  enqueue: ["tasks:write", "hosts:command"],
  call: ["tasks:write", "hosts:command"],
  cancel: ["tasks:write", "hosts:command"],
};

const held = [{ task_id: "nothing", lease_id: "0" }];
export const FRAMES: Readonly<Record<string, object>> = {
  ready: { type: "ready", recipient: NAME, credit: 0 },
  complete: { type: "complete", tasks: held },
  fail: { type: "fail", tasks: [{ ...held[0], error: "no" }] },
  extend: { type: "extend", tasks: [{ ...held[0], lease_ms: 1_000 }] },
  release: { type: "release", tasks: held },
  enqueue: { type: "enqueue", batch: 1, tasks: [aTask({ recipient: NAME })] },
  call: {
    type: "call",
    correlation_id: "c",
    recipient: NAME,
    task_type: "ASK",
    payload: 1,
    timeout_ms: 60_000,
    require_responder: true,
  },
  cancel: { type: "cancel", correlation_id: "nothing" },
};
