import { describe, expect, it } from "vitest";
import type { Schedule, ScheduleRun } from "../../../src/core/schedules/api.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { freshEcosystem } from "../api/calls.ts";
import { answerOf, connect, use } from "./client-under-test.ts";

const QUERY = "?tools=schedules";
const nightly = {
  name: "nightly",
  cron: "0 3 * * *",
  zone: "Europe/Berlin",
  task: { recipient: "backup", type: "backup", payload: { disk: "sda" } },
};

describe("the tools for schedules", () => {
  it("set, list, run and delete a schedule, as the API does", async () => {
    const client = await connect(freshEcosystem(), { query: `${QUERY},work` });
    const set = await answerOf<Schedule>(client, "set_schedule", nightly);
    expect(set).toMatchObject({ name: "nightly", overlap: "skip", paused: false });
    expect(new Date(set.next_at ?? "").getUTCMinutes()).toBe(0);
    const { run } = await answerOf<{ run: string }>(client, "run_schedule", { name: "nightly" });
    const { schedules } = await answerOf<{ schedules: Schedule[] }>(client, "list_schedules");
    expect(schedules).toMatchObject([{ name: "nightly", open: [{ run, by: "hand" }] }]);
    const { tasks } = await answerOf<{ tasks: { task_id: string; payload: unknown }[] }>(client, "take_task", {
      queue: "work",
      recipient: "backup",
      wait_ms: 20_000,
    });
    expect(tasks).toMatchObject([{ task_id: run, payload: { disk: "sda" } }]);
    // One run at a time, as it says itself.
    expect(await use(client, "run_schedule", { name: "nightly" })).toMatchObject({
      isError: true,
      json: { status: 409 },
    });
    const { runs } = await answerOf<{ runs: ScheduleRun[] }>(client, "list_schedule_runs", { name: "nightly" });
    expect(runs.map((one) => one.run)).toContain(run);
    await answerOf(client, "set_schedule", { ...nightly, paused: true });
    expect((await answerOf<{ schedules: Schedule[] }>(client, "list_schedules")).schedules).toMatchObject([
      { next_at: null },
    ]);
    await answerOf(client, "delete_schedule", { name: "nightly" });
    expect(await answerOf(client, "list_schedules")).toMatchObject({ schedules: [] });
    const gone = await use(client, "list_schedule_runs", { name: "nightly" });
    expect(gone).toMatchObject({ isError: true, json: { status: 404, detail: expect.stringContaining("nightly") } });
  });

  it("name the field that is wrong, and make nothing then", async () => {
    const client = await connect(freshEcosystem(), { query: QUERY });
    const refused = await use(client, "set_schedule", { ...nightly, cron: "every night" });
    expect(refused).toMatchObject({ isError: true, json: { status: 422, errors: [{ pointer: "/cron" }] } });
    expect((await use(client, "set_schedule", { ...nightly, name: "a b" })).json).toMatchObject({
      errors: [{ pointer: "/name" }],
    });
    expect(await answerOf(client, "list_schedules")).toMatchObject({ schedules: [] });
  });

  it("are listed to tokens that may use them, and are in no list by default", async () => {
    const ecosystem = freshEcosystem();
    const namesOf = async (scope: "tasks:read" | "policy:write", query: string) => {
      const { token } = await makeToken(ecosystem, [scope]);
      return (await (await connect(ecosystem, { token, query })).listTools()).tools.map(({ name }) => name);
    };
    expect(await namesOf("tasks:read", QUERY)).toEqual(["list_schedules", "list_schedule_runs"]);
    expect(await namesOf("policy:write", QUERY)).toEqual(["set_schedule", "delete_schedule", "run_schedule"]);
    expect(await namesOf("policy:write", "")).not.toContain("set_schedule");
  });
});
