import { GroupCommit, type GroupCommitOptions } from "../../core/group-commit/group-commit.ts";

/**
 * A {@link GroupCommit} on the clock of the runtime. A moment is long enough for sixty-four senders to arrive, even
 * where a flush takes as long; waiting for the flush itself (`storage.sync()`) or for one turn of the event loop gathers
 * a handful.
 */
export function newGroupCommit<Item>(options: Omit<GroupCommitOptions<Item>, "turn" | "linger">): GroupCommit<Item> {
  return new GroupCommit<Item>({
    ...options,
    turn: () => new Promise((resolve) => setTimeout(resolve, 0)),
    linger: () => new Promise((resolve) => setTimeout(resolve, 1)),
  });
}
