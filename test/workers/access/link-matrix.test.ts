import { afterEach, describe, expect, it, vi } from "vitest";
import { isBoundTo } from "../../../src/core/access/bindings.ts";
import type { Scope } from "../../../src/core/access/scopes.ts";
import { AgentFrame } from "../../../src/core/wire/link-frames.ts";
import { ADMIN, call, freshEcosystem } from "../api/calls.ts";
import { ON_A_LINK, type Outcome, onAStream, ROW_NAMES, ROWS, type RowName } from "./link-rows.ts";
import { PRINCIPALS, type Principal, principals } from "./principals.ts";
import { openSocket as openEnd, type SocketEnd } from "./socket-end.ts";
import { makeToken } from "./tokens-under-test.ts";

const AGENT: readonly Scope[] = ["signals:read", "signals:write", "tasks:work"];

/** Who opens a socket, and what happens to it before it sends a frame. */
interface Caller {
  readonly name: string;
  readonly open: (host: string) => Promise<SocketEnd | number>;
  readonly meanwhile?: ((host: string) => Promise<unknown>) | undefined;
  readonly expected: (row: RowName) => Outcome;
}

/** The sockets that are open in the row under test: hosts that are linked and do not answer would be waited for. */
const opened: SocketEnd[] = [];

async function openSocket(path: string, authorization: string | null): Promise<SocketEnd | number> {
  const end = await openEnd(path, authorization);
  if (typeof end !== "number") opened.push(end);
  return end;
}

async function closeAll(): Promise<void> {
  for (const { socket, closed } of opened.splice(0)) {
    socket.close();
    await closed;
  }
}

afterEach(() => void vi.useRealTimers());

/** What became of each row's frame by each caller, where that is not what was expected. */
async function mismatches(ecosystem: string, callers: readonly Caller[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const [place, { name, open, meanwhile, expected }] of callers.entries()) {
    for (const [number, row] of ROW_NAMES.entries()) {
      const host = `h${place}-${number}`;
      const should = expected(row);
      const outcome = await outcomeOf(ecosystem, { host, row, open, meanwhile, should });
      await closeAll();
      if (outcome !== should) wrong.push(`${row} by ${name}: ${outcome} instead of ${should}`);
    }
  }
  return wrong;
}

async function outcomeOf(
  ecosystem: string,
  {
    host,
    row,
    open,
    meanwhile,
    should,
  }: Pick<Caller, "open" | "meanwhile"> & { host: string; row: RowName; should: Outcome },
): Promise<Outcome> {
  const end = await open(host);
  if (typeof end === "number") return `no socket ${end}`;
  const { before, ask } = ROWS[row] as (typeof ROWS)["seen"];
  const asking = { end, ecosystem, host, expected: should };
  const prepared = (await before?.(asking)) ?? {};
  await meanwhile?.(host);
  return ask(asking, prepared);
}

/** Why a principal gets no socket; `undefined`: it gets one. */
function noSocket(who: Principal, scopes: readonly Scope[], host: string | undefined): Outcome | undefined {
  if (who.scopes === null) return "no socket 401";
  const has = (scope: Scope) => who.scopes?.includes(scope) === true || who.scopes?.includes("admin") === true;
  const allowed = scopes.every(has) && who.ecosystems !== "others";
  return allowed && (host === undefined || isBoundTo(who.hosts, host)) ? undefined : "no socket 403";
}

const asCallers = (
  all: readonly Principal[],
  path: (host: string) => string,
  expected: (who: Principal, row: RowName) => Outcome,
): Caller[] =>
  all.map((who) => ({
    name: who.name,
    open: (host) => openSocket(path(host), who.authorization),
    expected: (row) => expected(who, row),
  }));

describe("the matrix of tokens and frames of links and streams", () => {
  it("has a row for each frame of an agent", () => {
    const types = AgentFrame.options.map(({ shape }) => shape.type.value);
    expect([...new Set(ROW_NAMES.map((name): string => ROWS[name].type))].sort()).toEqual([...types].sort());
  });

  const counts = `${ROW_NAMES.length} frames, ${ROW_NAMES.length * PRINCIPALS} combinations`;
  it(`takes over a link what the token and its host may send, and refuses everything else: ${counts}`, async () => {
    const ecosystem = freshEcosystem();
    const callers = asCallers(
      await principals(ecosystem),
      (host) => `/v1/${ecosystem}/link?host=${host}`,
      (who, row) =>
        noSocket(who, ["signals:read", "signals:write"], "h") ??
        (row === "append" && !isBoundTo(who.sources, "jobs") ? "dead letter" : (ON_A_LINK[row] ?? "taken")),
    );
    expect(await mismatches(ecosystem, callers)).toEqual([]);
  });

  it(`takes over a stream what steers the stream, and refuses everything else: ${counts}`, async () => {
    const ecosystem = freshEcosystem();
    const callers = asCallers(
      await principals(ecosystem),
      () => `/v1/${ecosystem}/signals/stream`,
      (who, row) => noSocket(who, ["signals:read"], undefined) ?? onAStream(row),
    );
    expect(await mismatches(ecosystem, callers)).toEqual([]);
  });

  it("takes nothing from a link or a stream whose right to it has ended", async () => {
    const ecosystem = freshEcosystem();
    const link = (host: string, more: Record<string, string> = {}) =>
      `/v1/${ecosystem}/link?${new URLSearchParams({ host, ...more })}`;
    const mine = await makeToken(ecosystem, AGENT);
    const mayLink = `Bearer ${mine.token}`;
    const open = (host: string, more?: Record<string, string>) => openSocket(link(host, more), mayLink);
    const other = await makeToken(ecosystem, AGENT);
    const oldest = { installation: "i1", instance: "p1" };
    const later = { installation: "i1", instance: "p2" };
    const always = (outcome: Outcome) => () => outcome;
    /** The last token that was made for one socket. */
    let last = { id: "", token: "" };
    const openWith = async (path: string, more: object = {}) => {
      last = await makeToken(ecosystem, AGENT, more);
      return openSocket(path, `Bearer ${last.token}`);
    };
    const deleteLast = () => call(`/v1/tokens/${last.id}`, { method: "DELETE" });
    const stream = `/v1/${ecosystem}/signals/stream`;
    const callers: Caller[] = [
      {
        name: "a clone of an installation that is linked",
        open: async (host) => {
          await open(host, oldest);
          return open(host, { installation: "i2", instance: "p1" });
        },
        expected: always("no socket 409"),
      },
      {
        name: "a copy that comes back after it was replaced",
        open: async (host) => {
          await open(host, oldest);
          await open(host, later);
          return open(host, oldest);
        },
        expected: always("no socket 409"),
      },
      {
        name: "a link that the restored backup of its installation replaced",
        open: (host) => open(host, oldest),
        meanwhile: (host) => open(host, later),
        expected: always("closed 4001"),
      },
      {
        name: "the restored backup of an installation",
        open: async (host) => {
          await open(host, oldest);
          return open(host, later);
        },
        expected: (row) => ON_A_LINK[row] ?? "taken",
      },
      {
        name: "another token than the one that linked first",
        open: async (host) => {
          await open(host);
          return openSocket(link(host), `Bearer ${other.token}`);
        },
        expected: always("no socket 409"),
      },
      {
        name: "an administrator beside the owner of the name",
        open: async (host) => {
          await open(host);
          return openSocket(link(host), `Bearer ${ADMIN}`);
        },
        expected: (row) => ON_A_LINK[row] ?? "taken",
      },
      {
        name: "a link whose name was released and taken by another token",
        open: (host) => open(host),
        meanwhile: async (host) => {
          await call(`/v1/${ecosystem}/agents/${host}/owner`, { method: "DELETE" });
          await openSocket(link(host), `Bearer ${other.token}`);
        },
        expected: always("closed 4002"),
      },
      {
        name: "a link whose token was deleted",
        open: (host) => openWith(link(host)),
        meanwhile: deleteLast,
        expected: always("closed 1008"),
      },
      {
        name: "a stream whose token was deleted",
        open: () => openWith(stream),
        meanwhile: deleteLast,
        expected: always("closed 1008"),
      },
    ];
    expect(await mismatches(ecosystem, callers)).toEqual([]);
  });

  it("takes nothing from a link or a stream whose token has expired", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const ecosystem = freshEcosystem();
    const openFor = (path: (host: string) => string) => async (host: string) => {
      const { token } = await makeToken(ecosystem, AGENT, { expires_at: new Date(Date.now() + 60_000).toISOString() });
      return openSocket(path(host), `Bearer ${token}`);
    };
    const expire = async () => void vi.setSystemTime(Date.now() + 60_000);
    const callers: Caller[] = [
      ["a link", (host: string) => `/v1/${ecosystem}/link?host=${host}`] as const,
      ["a stream", () => `/v1/${ecosystem}/signals/stream`] as const,
    ].map(([name, path]) => ({ name, open: openFor(path), meanwhile: expire, expected: () => "closed 1008" }));
    expect(await mismatches(ecosystem, callers)).toEqual([]);
  });
});
