import { afterEach, describe, expect, test, vi } from "vitest";
import { busFrames } from "../../../local-agent/bus/bus-frames.ts";
import { BusPrograms } from "../../../local-agent/bus/bus-programs.ts";
import { readBusMessage } from "../../../local-agent/bus/read-message.ts";
import { RepeatedMessages } from "../../../local-agent/bus/repeated-messages.ts";
import { sampleOf } from "../../../src/core/introspection/window/sample.ts";

/** As `json.dumps` of the older programs writes them. */
const WITHOUT_INCIDENT =
  '{"signal": "Q_BUILD_BROKEN", "ecosystem": "kloros", "intensity": 1.0, "facts": {"n": 1}, "incident_id": null, "trace": null, "ts": 1769860800.123456, "schema_version": 1}';
const WITH_INCIDENT = WITHOUT_INCIDENT.replace('"incident_id": null', '"incident_id": "inc-7"');

const read = (body: string, topic = "Q_BUILD_BROKEN") => {
  const message = readBusMessage([Buffer.from(topic), Buffer.from(body)]);
  if (!message.ok) throw new Error(message.reason);
  return message;
};

describe("a message of an older program", () => {
  test("has the time of its ts", () => {
    expect(read(WITHOUT_INCIDENT).input).toEqual({
      signal: "Q_BUILD_BROKEN",
      source: "bus",
      facts: { n: 1 },
      timestamp: 1769860800.123456,
    });
    expect(read(WITHOUT_INCIDENT.replace("1769860800.123456", '"soon"')).input).not.toHaveProperty("timestamp");
    expect(read('{"facts": {}, "timestamp": 5, "ts": 6}').input).toMatchObject({ timestamp: 5 });
  });

  test("keeps its incident_id among the facts, unless they name one", () => {
    expect(read(WITH_INCIDENT).input.facts).toEqual({ n: 1, incident_id: "inc-7" });
    expect(read(WITH_INCIDENT.replace('{"n": 1}', '{"incident_id": "own"}')).input.facts).toEqual({
      incident_id: "own",
    });
    expect(read(WITHOUT_INCIDENT).input.facts).toEqual({ n: 1 });
  });
});

describe("messages that are sent twice", () => {
  const repeated = (messages: RepeatedMessages, body: string, nowMs: number, name = "Q_BUILD_BROKEN") =>
    messages.isRepeated(name, read(body, name).marks, Buffer.from(body), nowMs);

  test("are one within a minute where name and incident_id are equal", () => {
    const messages = new RepeatedMessages();
    const later = WITH_INCIDENT.replace("1769860800.123456", "1769860801.5").replace('"n": 1', '"n": 2');
    expect(repeated(messages, WITH_INCIDENT, 0)).toBe(false);
    expect(repeated(messages, WITH_INCIDENT, 150)).toBe(true);
    expect(repeated(messages, later, 59_999)).toBe(true);
    expect(repeated(messages, WITH_INCIDENT, 200, "Q_OTHER")).toBe(false);
    expect(repeated(messages, WITH_INCIDENT.replace("inc-7", "inc-8"), 200)).toBe(false);
    expect(repeated(messages, later, 60_000)).toBe(false);
  });

  test("are one within a second where they carry ts and every byte is equal", () => {
    const messages = new RepeatedMessages();
    expect(repeated(messages, WITHOUT_INCIDENT, 0)).toBe(false);
    expect(repeated(messages, WITHOUT_INCIDENT, 150)).toBe(true);
    expect(repeated(messages, WITHOUT_INCIDENT.replace('"n": 1', '"n": 2'), 150)).toBe(false);
    expect(repeated(messages, WITHOUT_INCIDENT, 1_000)).toBe(false);
  });

  test("are two where they carry neither ts nor incident_id", () => {
    const messages = new RepeatedMessages();
    for (let n = 0; n < 3; n++) expect(repeated(messages, '{"facts": {"cpu_percent": 12}}', 0)).toBe(false);
  });
});

describe("what the agent publishes on the bus", () => {
  const text =
    '{"seq":4,"id":"s4.e","signal":"Q_A","source":"a \\"b\\" c","ecosystem":"default","timestamp":"2026-01-31T12:00:00.250Z","received_at":"2026-01-31T12:00:01.000Z","facts":{"timestamp":"1999-01-01T00:00:00.000Z"},"cause":"s3.e"}';

  test("carries ts, schema_version and an incident_id of its own", () => {
    const [topic, body = ""] = busFrames("two_frames", "Q_A", "s4.e", text);
    expect(topic).toBe("Q_A");
    expect(JSON.parse(body)).toEqual({
      ...JSON.parse(text),
      ts: 1769860800.25,
      schema_version: 1,
      incident_id: "s4.e",
    });
  });

  test("is one frame where the settings say so", () => {
    const frames = busFrames("one_frame", "Q_A", "s4.e", text);
    expect(frames).toHaveLength(1);
    expect(JSON.parse(frames[0] ?? "")).toMatchObject({ signal: "Q_A", ts: 1769860800.25 });
  });
});

describe("a HEARTBEAT of a program", () => {
  afterEach(() => void vi.useRealTimers());

  const heartbeat = (zooid: string, processed_count = 7) =>
    read(
      `{"signal": "HEARTBEAT", "ecosystem": "kloros", "intensity": 1.0, "facts": {"zooid": "${zooid}", "niche": "memory", "uptime_s": 120.5, "processed_count": ${processed_count}}, "incident_id": null, "trace": null, "ts": 1769860800.5, "schema_version": 1}`,
      "HEARTBEAT",
    ).input;

  function watched() {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) });
    const said: string[] = [];
    const programs = new BusPrograms({
      onChange: (signal, { zooid, since }) => said.push(`${signal} ${zooid} ${since}`),
      now: Date.now,
    });
    return { programs, said };
  }

  test("is presence, and no signal", () => {
    const { programs } = watched();
    expect(programs.status).toBeUndefined();
    expect(programs.take(heartbeat("historian"))).toBe(true);
    expect(programs.take(heartbeat("historian", 8))).toBe(true);
    expect(programs.status).toEqual([
      {
        name: "historian",
        state: "live",
        niche: "memory",
        uptime_s: 120.5,
        processed_count: 8,
        last_heard: "2026-01-01T00:00:00.000Z",
      },
    ]);
  });

  test("that names no program is a signal like any other", () => {
    const { programs } = watched();
    expect(programs.take({ signal: "HEARTBEAT", facts: { host: "a" } })).toBe(false);
    expect(programs.take({ signal: "Q_A", facts: { zooid: "a" } })).toBe(false);
  });

  test("that is missing three times is reported once, and so is the next one", () => {
    const { programs, said } = watched();
    programs.take(heartbeat("a"));
    vi.advanceTimersByTime(25_000);
    programs.take(heartbeat("a"));
    vi.advanceTimersByTime(29_999);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(90_000);
    expect(said).toEqual(["Q_PROGRAM_SILENT a 2026-01-01T00:00:25.000Z"]);
    expect(programs.status?.[0]).toMatchObject({ name: "a", state: "silent" });
    programs.take(heartbeat("a"));
    programs.take(heartbeat("a"));
    expect(said).toHaveLength(2);
    expect(said[1]).toBe("Q_PROGRAM_BACK a 2026-01-01T00:02:24.999Z");
  });

  test("cannot be missing while the bus is away", () => {
    const { programs, said } = watched();
    programs.take(heartbeat("a"));
    programs.setBusWorks(false);
    vi.advanceTimersByTime(100_000);
    programs.setBusWorks(true);
    vi.advanceTimersByTime(29_000);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(2_000);
    expect(said).toEqual(["Q_PROGRAM_SILENT a 2026-01-01T00:00:00.000Z"]);
  });
});

describe("a measurement of an older program", () => {
  const observed = (facts: object) =>
    sampleOf({
      seq: 1,
      id: "s1",
      signal: "OBSERVATION",
      source: "me",
      ecosystem: "e",
      timestamp: "2026-01-01T00:00:00.000Z",
      received_at: "2026-01-01T00:00:01.000Z",
      facts: { zooid: "a", ...facts },
    }).tsMs - Date.UTC(2026, 0, 1);

  test("has the time of its facts, where they name one", () => {
    expect(observed({ timestamp: Date.UTC(2025, 11, 31, 23, 59, 50) / 1_000 })).toBe(-10_000);
    expect(observed({ timestamp: Date.UTC(2025, 11, 31, 23, 59, 50) })).toBe(-10_000);
    expect(observed({ timestamp: "2025-12-31T23:59:55.000Z" })).toBe(-5_000);
    expect(observed({ timestamp: "yesterday" })).toBe(0);
    expect(observed({ timestamp: "2026-01-01T01:00:00.000Z" })).toBe(1_000);
    expect(observed({})).toBe(0);
  });
});
