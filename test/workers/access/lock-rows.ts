import type { OutgoingLockFrame } from "../../../src/core/locks/lock-frames.ts";
import { NAME } from "./channel-rows.ts";

/** A frame of each type, in the name of {@link NAME}, to which the bound principals are not bound; `cancel` names nobody. */
export const LOCK_FRAMES: Readonly<Record<string, OutgoingLockFrame>> = {
  acquire: { type: "acquire", id: "acquire", name: "a", owner: NAME, ttl_ms: 60_000 },
  renew: { type: "renew", id: "renew", name: "none", owner: NAME, fence: 1, ttl_ms: 60_000 },
  release: { type: "release", id: "release", name: "none", owner: NAME, fence: 1 },
  cancel: { type: "cancel", id: "none" },
};
