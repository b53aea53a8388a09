import { describe, expect, it } from "vitest";
import { isBoundTo } from "../../../src/core/access/bindings.ts";
import { LockFrame } from "../../../src/core/locks/lock-frames.ts";
import { call, freshEcosystem } from "../api/calls.ts";
import { NAME } from "./channel-rows.ts";
import { LOCK_FRAMES } from "./lock-rows.ts";
import { PRINCIPALS, type Principal, principals } from "./principals.ts";

type Outcome = "passes" | 401 | 403;

/** Sends every frame over one channel. @returns what became of each; the status where the channel does not open */
async function outcomesOver(ecosystem: string, { authorization }: Principal) {
  const headers = new Headers({ Upgrade: "websocket", "Sec-WebSocket-Protocol": "ganglion.locks.v1" });
  if (authorization !== null) headers.set("Authorization", authorization);
  const { webSocket: socket, status } = await call(`/v1/${ecosystem}/locks/channel`, { headers, token: null });
  if (socket === null) return status;
  socket.accept();
  const outcomes = new Map<string, Outcome>();
  for (const [type, frame] of Object.entries(LOCK_FRAMES)) {
    const came: { id: string | null; problem?: { status: number } }[] = [];
    // What is no frame is answered after the frame before it, which may have no answer.
    const handled = new Promise<void>((resolve) =>
      socket.addEventListener("message", ({ data }) => {
        came.push(JSON.parse(String(data)));
        if (came.some(({ id }) => id === `after-${type}`)) resolve();
      }),
    );
    socket.send(JSON.stringify(frame));
    socket.send(JSON.stringify({ type: "no such frame", id: `after-${type}` }));
    await handled;
    const refused = came.some(({ id, problem }) => id === frame.id && problem?.status === 403);
    outcomes.set(type, refused ? 403 : "passes");
  }
  socket.close();
  return outcomes;
}

function expectedOf({ scopes, ecosystems, recipients }: Principal, type: string): Outcome {
  if (scopes === null) return 401;
  if (!(scopes.includes("tasks:work") || scopes.includes("admin")) || ecosystems === "others") return 403;
  return type === "cancel" || isBoundTo(recipients, NAME) ? "passes" : 403;
}

describe("the matrix of tokens and frames of the channel for locks", () => {
  it("has a row for each frame", () => {
    const types = LockFrame.options.map(({ shape }) => shape.type.value).sort();
    expect(Object.keys(LOCK_FRAMES).sort()).toEqual(types);
  });

  const types = Object.keys(LOCK_FRAMES);
  it(`takes of each principal what its scopes and its bindings say, and nothing else: ${types.length * PRINCIPALS} combinations`, async () => {
    const ecosystem = freshEcosystem();
    const mismatches: string[] = [];
    for (const who of await principals(ecosystem)) {
      const outcomes = await outcomesOver(ecosystem, who);
      for (const type of types) {
        const outcome = typeof outcomes === "number" ? outcomes : outcomes.get(type);
        const should = expectedOf(who, type);
        if (outcome !== should) mismatches.push(`${type} by ${who.name}: ${outcome} instead of ${should}`);
      }
    }
    expect(mismatches).toEqual([]);
  });
});
