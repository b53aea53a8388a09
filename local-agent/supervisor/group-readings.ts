import { readdirSync, readFileSync } from "node:fs";
import type { Reading } from "../../src/core/supervisor/process-judgement.ts";

/** Clock ticks in a second: 100 on every Linux that Node supports (USER_HZ is part of the kernel's interface). */
const TICKS_PER_SECOND = 100;
/** A shorter interval is too inaccurate: a tick is 10 ms. */
const MIN_INTERVAL_MS = 500;

interface Usage {
  readonly atMs: number;
  readonly ticks: number;
}

/**
 * Measures process groups from /proc. One walk serves all groups, because a child may have left its parent but not its
 * group. CPU time includes that of members that ended and were waited for.
 *
 * @see proc_pid_stat(5), proc_pid_status(5)
 */
export class GroupReadings {
  /** By group, the newest measurement that is old enough for a difference, and the newest. */
  readonly #before = new Map<number, readonly [Usage, Usage]>();

  /**
   * @param groups - process ids of the leaders
   * @param nowMs - of a monotonic clock
   * @returns no reading for a group without processes
   */
  read(groups: Iterable<number>, nowMs: number): Map<number, Reading> {
    const wanted = new Map([...groups].map((group) => [group, [] as Member[]]));
    if (wanted.size > 0) for (const member of members(wanted)) wanted.get(member.group)?.push(member);
    const readings = new Map<number, Reading>();
    for (const [group, all] of wanted) {
      if (all.length > 0) readings.set(group, this.#measure(group, all, nowMs));
    }
    for (const group of this.#before.keys()) if (!readings.has(group) && wanted.has(group)) this.forget(group);
    return readings;
  }

  forget(group: number): void {
    this.#before.delete(group);
  }

  #measure(group: number, all: readonly Member[], nowMs: number): Reading {
    const now: Usage = { atMs: nowMs, ticks: all.reduce((sum, { ticks }) => sum + ticks, 0) };
    const [older, newer] = this.#before.get(group) ?? [now, now];
    const base = nowMs - newer.atMs >= MIN_INTERVAL_MS ? newer : older;
    this.#before.set(group, [base, now]);
    const ms = nowMs - base.atMs;
    const used = ms < MIN_INTERVAL_MS ? 0 : ((now.ticks - base.ticks) * 1000) / TICKS_PER_SECOND / ms;
    const leader = all.find(({ pid }) => pid === group);
    return {
      memoryBytes: all.reduce((sum, { pid }) => sum + residentBytes(pid), 0),
      cpuPercent: Math.round(Math.max(0, used) * 1000) / 10,
      running: all.some(({ state }) => state === "R"),
      stopped: leader === undefined ? all.every(({ state }) => state === "T") : leader.state === "T",
    };
  }
}

interface Member {
  readonly pid: number;
  readonly group: number;
  readonly state: string;
  readonly ticks: number;
}

function* members(groups: ReadonlyMap<number, unknown>): Generator<Member> {
  for (const name of readdirSync("/proc")) {
    const first = name.charCodeAt(0);
    if (first < 49 || first > 57) continue;
    let text: string;
    try {
      text = readFileSync(`/proc/${name}/stat`, "latin1");
    } catch {
      continue; // the process has ended
    }
    // "pid (name) state ppid pgrp …": the name may contain any character, even a bracket.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const group = Number(fields[2]);
    const state = fields[0] ?? "?";
    if (!groups.has(group) || state === "Z" || state === "X") continue;
    const ticks = Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
    yield { pid: Number(name), group, state, ticks };
  }
}

function residentBytes(pid: number): number {
  try {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
    return Number(match?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
