import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DeployerSettings, winnerDeployer } from "../../../../local-agent/reactions/built-ins/deployer/deployer.ts";
import type { Outcome } from "../../../../local-agent/reactions/reaction.ts";
import { temporaryDirectory } from "../../../unit/store/temporary-state.ts";
import { aSignal, contextIn, FakeAttempt } from "./fake-attempt.ts";

function host(settings: object = {}) {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, "winners"));
  const parsed = DeployerSettings.parse({ built_in: "winner-deployer", ...settings });
  const perform = winnerDeployer(parsed, contextIn(directory, "Q_WINNER_DEPLOYED", "Q_DEPLOYMENT_FAILED"));
  return {
    directory,
    /** A winner's content is one file. */
    breed(name: string, content: string) {
      rmSync(join(directory, "winners", name), { recursive: true, force: true });
      mkdirSync(join(directory, "winners", name, "src"), { recursive: true });
      writeFileSync(join(directory, "winners", name, "src", "variant.txt"), content);
    },
    deployed: (name: string) => {
      const path = join(directory, "deployed", name, "src", "variant.txt");
      return existsSync(path) ? readFileSync(path, "utf8") : undefined;
    },
    attempt: (checkpoint?: unknown) => new FakeAttempt(aSignal("Q_DREAM_COMPLETE", { trigger_id: "t" }), checkpoint),
    perform,
  };
}

const emitted = (outcome: Outcome) =>
  outcome.emit === undefined
    ? outcome.ok || outcome.error
    : outcome.emit.map(({ signal, facts }) => `${signal} ${facts.winner_name}`);

test("each winner is deployed once, and again when its content changes", async () => {
  const { perform, attempt, breed, deployed } = host();
  breed("summarise", "one");
  breed("classify", "one");
  expect(emitted(await perform(attempt()))).toEqual(["Q_WINNER_DEPLOYED classify", "Q_WINNER_DEPLOYED summarise"]);
  expect([deployed("summarise"), deployed("classify")]).toEqual(["one", "one"]);
  expect(emitted(await perform(attempt()))).toEqual([]);
  breed("summarise", "two");
  const outcome = await perform(attempt());
  expect(emitted(outcome)).toEqual(["Q_WINNER_DEPLOYED summarise"]);
  expect(outcome.emit?.[0]?.facts.previous).toMatch(/^\.releases\/summarise\/[0-9a-f]{16}$/);
  expect(deployed("summarise")).toBe("two");
});

test("a winner that fails the health check is rolled back, reported once, and not deployed again", async () => {
  const { perform, attempt, breed, deployed, directory } = host({
    health: { command: 'grep -q sick "$WINNER_PATH/src/variant.txt" && { echo "coughs" >&2; exit 1; }; true' },
  });
  breed("summarise", "well");
  breed("fresh", "sick from the start");
  expect(emitted(await perform(attempt()))).toEqual(["Q_DEPLOYMENT_FAILED fresh", "Q_WINNER_DEPLOYED summarise"]);
  expect(existsSync(join(directory, "deployed/fresh"))).toBe(false);
  breed("summarise", "sick");
  const failed = await perform(attempt());
  expect(failed).toMatchObject({
    ok: false,
    error: "summarise was not deployed: the health check failed: the command ended with status 1: coughs",
    emit: [{ facts: { rolled_back: true, error: "the health check failed: the command ended with status 1: coughs" } }],
  });
  expect(deployed("summarise")).toBe("well");
  expect(emitted(await perform(attempt()))).toEqual([]);
  breed("summarise", "well again");
  expect(emitted(await perform(attempt()))).toEqual(["Q_WINNER_DEPLOYED summarise"]);
});

test("after a crash at any step, each winner is deployed whole and reported once", async () => {
  for (let crashAtSave = 1; crashAtSave <= 4; crashAtSave++) {
    const { perform, attempt, breed, deployed } = host();
    breed("a", "one");
    breed("b", "one");
    const killed = attempt();
    killed.crashAtSave = crashAtSave;
    await expect(perform(killed)).rejects.toThrow("killed");
    expect(emitted(await perform(attempt(killed.checkpoint))), `save ${crashAtSave}`).toEqual([
      "Q_WINNER_DEPLOYED a",
      "Q_WINNER_DEPLOYED b",
    ]);
    expect([deployed("a"), deployed("b")]).toEqual(["one", "one"]);
  }
});

test("a directory that a person deployed is kept for a rollback", async () => {
  const { perform, attempt, breed, deployed, directory } = host({ health: { command: "exit 1" } });
  mkdirSync(join(directory, "deployed/summarise/src"), { recursive: true });
  writeFileSync(join(directory, "deployed/summarise/src/variant.txt"), "by hand");
  breed("summarise", "new");
  expect(emitted(await perform(attempt()))).toEqual(["Q_DEPLOYMENT_FAILED summarise"]);
  expect(deployed("summarise")).toBe("by hand");
  expect(readlinkSync(join(directory, "deployed/summarise"))).toBe(".releases/summarise/before");
});

test("old releases are removed, except those kept for a rollback", async () => {
  const { perform, attempt, breed, directory } = host({ keep: 2 });
  for (const content of ["1", "2", "3", "4", "5"]) {
    breed("summarise", content);
    expect(emitted(await perform(attempt()))).toHaveLength(1);
  }
  expect(readdirSync(join(directory, "deployed/.releases/summarise"))).toHaveLength(3);
});

test("unfinished winners are skipped, and a missing directory of winners is a failure", async () => {
  const { perform, attempt, breed, directory } = host();
  breed(".half", "x");
  breed("half.tmp", "x");
  expect(emitted(await perform(attempt()))).toEqual([]);
  rmSync(join(directory, "winners"), { recursive: true });
  expect(await perform(attempt())).toMatchObject({ ok: false, error: /directory of winners/ });
});

test("a link that a person changes during the deployment stays, and the deployment is reported as failed", async () => {
  const { perform, attempt, breed, deployed, directory } = host();
  breed("summarise", "one");
  await perform(attempt());
  breed("summarise", "two");
  const own = join(directory, "own");
  mkdirSync(join(own, "src"), { recursive: true });
  writeFileSync(join(own, "src/variant.txt"), "by hand");
  const one = attempt();
  one.meanwhile = () => {
    rmSync(join(directory, "deployed/summarise"));
    symlinkSync(own, join(directory, "deployed/summarise"));
  };
  expect(await perform(one)).toMatchObject({
    ok: false,
    emit: [
      {
        signal: "Q_DEPLOYMENT_FAILED",
        facts: { rolled_back: false, error: expect.stringContaining("another program changed") },
      },
    ],
  });
  expect(deployed("summarise")).toBe("by hand");
  // The content is not to blame: the next dream deploys it, and what stood there is what it can go back to.
  expect(await perform(attempt())).toMatchObject({ emit: [{ signal: "Q_WINNER_DEPLOYED", facts: { previous: own } }] });
  expect(deployed("summarise")).toBe("two");
});

test("a link that a person changes during the health check stays, also when the check fails", async () => {
  const { perform, attempt, breed, directory } = host({
    health: { command: "ln -sfn /somewhere deployed/summarise; exit 1" },
  });
  breed("summarise", "one");
  expect(await perform(attempt())).toMatchObject({
    emit: [{ signal: "Q_DEPLOYMENT_FAILED", facts: { rolled_back: false } }],
  });
  expect(readlinkSync(join(directory, "deployed/summarise"))).toBe("/somewhere");
});

test("a winner that changes during its copy is not deployed until the next attempt", async () => {
  const { perform, attempt, breed, deployed } = host();
  breed("summarise", "one");
  const one = attempt();
  one.meanwhile = () => breed("summarise", "two");
  expect(await perform(one)).toMatchObject({
    emit: [{ signal: "Q_DEPLOYMENT_FAILED", facts: { error: expect.stringContaining("changed while it was copied") } }],
  });
  expect(deployed("summarise")).toBeUndefined();
  expect(emitted(await perform(attempt()))).toEqual(["Q_WINNER_DEPLOYED summarise"]);
  expect(deployed("summarise")).toBe("two");
});

test("a winner that is a link is refused with the reason, once, and the others are deployed", async () => {
  const { perform, attempt, breed, deployed, directory } = host();
  const secret = join(temporaryDirectory(), "secret");
  writeFileSync(secret, "secret");
  symlinkSync(secret, join(directory, "winners", "file"));
  symlinkSync(temporaryDirectory(), join(directory, "winners", "tree"));
  symlinkSync("/no/such/place", join(directory, "winners", "gone"));
  breed("good", "one");
  const outcome = await perform(attempt());
  expect(emitted(outcome)).toEqual([
    "Q_DEPLOYMENT_FAILED file",
    "Q_DEPLOYMENT_FAILED gone",
    "Q_WINNER_DEPLOYED good",
    "Q_DEPLOYMENT_FAILED tree",
  ]);
  expect(outcome.emit?.[0]?.facts.error).toContain("is a link: put the winner itself");
  expect(readdirSync(join(directory, "deployed")).filter((name) => !name.startsWith("."))).toEqual(["good"]);
  expect(deployed("good")).toBe("one");
  expect(emitted(await perform(attempt()))).toEqual([]);
});

test.each(["/etc/passwd", "../../../outside", "src/../../outside"])(
  "a winner with a link to %s, which leads out of it, is refused",
  async (target) => {
    const { perform, attempt, breed, directory } = host();
    breed("bad", "one");
    symlinkSync(target, join(directory, "winners", "bad", "link"));
    const outcome = await perform(attempt());
    expect(emitted(outcome)).toEqual(["Q_DEPLOYMENT_FAILED bad"]);
    expect(outcome.emit?.[0]?.facts.error).toContain("leads out of the winner: remove it");
    expect(existsSync(join(directory, "deployed", "bad"))).toBe(false);
  },
);

test("a winner with a link to a file of its own is deployed with the link", async () => {
  const { perform, attempt, breed, directory } = host();
  breed("good", "one");
  symlinkSync("src/variant.txt", join(directory, "winners", "good", "current"));
  expect(emitted(await perform(attempt()))).toEqual(["Q_WINNER_DEPLOYED good"]);
  expect(readFileSync(join(directory, "deployed", "good", "current"), "utf8")).toBe("one");
});

test("a winner whose name is not UTF-8 keeps no other from being deployed", async () => {
  const { perform, attempt, breed, directory } = host();
  writeFileSync(Buffer.concat([Buffer.from(join(directory, "winners/")), Buffer.from([0xe9])]), "");
  breed("good", "one");
  expect(emitted(await perform(attempt()))).toEqual(["Q_WINNER_DEPLOYED good"]);
});

test("a replay of the dead letter of a failed deployment tries the same content again", async () => {
  const { perform, attempt, breed, deployed, directory } = host({ health: { command: "test -e healthy" } });
  breed("a", "one");
  const failed = await perform(attempt());
  expect(failed).toMatchObject({ ok: false, retry: false, error: /^a was not deployed: the health check failed/ });
  writeFileSync(join(directory, "healthy"), "");
  expect(emitted(await perform(attempt()))).toEqual([]);
  const replay = failed.ok ? undefined : JSON.parse(JSON.stringify(failed.replayFrom));
  expect(emitted(await perform(attempt(replay)))).toEqual(["Q_WINNER_DEPLOYED a"]);
  expect(deployed("a")).toBe("one");
});

test("the promotion of a winner is acknowledged once the winner is deployed, and no other one", async () => {
  const { perform, attempt, breed, directory } = host({
    promotions: "promotions",
    health: { command: '! grep -q sick "$WINNER_PATH/src/variant.txt"' },
  });
  mkdirSync(join(directory, "promotions/acknowledged"), { recursive: true });
  const promotion = (name: string, content = "{}") => writeFileSync(join(directory, "promotions", name), content);
  promotion("a.json");
  promotion("p-7.json", '{"winner": "b", "score": 1}');
  promotion("sick.json");
  promotion("other.json", '{"winner": 7}');
  promotion("list.json", "[]");
  promotion("acknowledged/a.json", '"an earlier one"');
  for (const winner of ["a", "b"]) breed(winner, "well");
  breed("sick", "sick");
  expect(emitted(await perform(attempt()))).toHaveLength(3);
  const left = () => readdirSync(join(directory, "promotions")).sort();
  expect(left()).toEqual(["acknowledged", "list.json", "other.json", "sick.json"]);
  expect(readdirSync(join(directory, "promotions/acknowledged"))).toHaveLength(3);
  expect(readFileSync(join(directory, "promotions/acknowledged/a.json"), "utf8")).toBe('"an earlier one"');
  // A crash after the deployment left its promotion: the next dream acknowledges it.
  promotion("b.json");
  expect(emitted(await perform(attempt()))).toEqual([]);
  expect(left()).toEqual(["acknowledged", "list.json", "other.json", "sick.json"]);
});
