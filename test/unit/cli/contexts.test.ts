import { chmodSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startEdge } from "./fake-edge.ts";
import { ganglion } from "./ganglion.ts";

/** A person with a home, and a token file in it. */
function person() {
  const home = mkdtempSync(join(tmpdir(), "ganglion-"));
  const tokenFile = (name: string, mode = 0o600) => {
    const file = join(home, name);
    writeFileSync(file, `token-of-${name}\n`);
    chmodSync(file, mode);
    return file;
  };
  const call = (args: readonly string[], env: Record<string, string> = {}) =>
    ganglion(args, { env: { XDG_CONFIG_HOME: home, GANGLION_TOKEN: "", ...env } });
  return { home, tokenFile, call, file: join(home, "ganglion", "contexts.json") };
}

/** An edge that has no gaps; says with which token and in which ecosystem it was asked. */
async function askedEdge() {
  const edge = await startEdge(() => [200, { gaps: [] }]);
  return { url: edge.url, asked: () => edge.received.map(({ authorization, url }) => [authorization, url.pathname]) };
}

describe("ganglion context", () => {
  it("adds, uses, shows, lists and deletes names for edges, in a file that is private and holds no token", async () => {
    const { call, tokenFile, file, home } = person();
    const token = tokenFile("prod.token");
    const add = [
      "context",
      "add",
      "prod",
      "--url",
      "https://edge.example",
      "--token-file",
      token,
      "--ecosystem",
      "lab",
    ];
    const fields = { url: "https://edge.example/", token_file: token, ecosystem: "lab" };
    const added = await call([...add, "--json"]);
    expect([added.code, JSON.parse(added.out)]).toEqual([0, { name: "prod", current: false, ...fields }]);
    expect([statSync(file).mode & 0o777, statSync(join(home, "ganglion")).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(readFileSync(file, "utf8")).not.toContain("token-of");

    expect(await call(["context", "use", "prod"])).toMatchObject({ code: 0, err: "prod is in use\n" });
    await call(["context", "add", "test", "--url", "http://127.0.0.1:1"]);
    const listed = await call(["context", "--json"]);
    expect(
      listed.out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { name: "prod", current: true, ...fields },
      { name: "test", current: false, url: "http://127.0.0.1:1/" },
    ]);
    expect((await call(["context", "list"])).out).toMatch(/prod +yes +https:\/\/edge\.example\/ +lab/);
    expect((await call(["context", "show"])).out).toContain("https://edge.example/");
    expect((await call(["context", "delete", "prod"])).err).toBe("prod is deleted\n");
    expect(await call(["context", "show"])).toMatchObject({
      code: 2,
      err: "ganglion: no context is in use: name one\n",
    });
  });

  it("refuses a name, a URL and a token file that cannot be", async () => {
    const { call, tokenFile } = person();
    const add = (...args: string[]) => call(["context", "add", ...args]);
    const open = tokenFile("open.token", 0o644);
    for (const [args, message] of [
      [["-x", "--url", "http://a"], "unknown option"],
      [["a b", "--url", "http://a"], "a context's name starts with"],
      [["a"], "give --url"],
      [["a", "--url", "edge"], "is not the URL of an edge"],
      [["a", "--url", "http://u:secret@a"], "must not hold a name or password"],
      [["a", "--url", "http://a", "--token-file", open], `(its mode is 0644): run "chmod 600 ${open}"`],
      [["a", "--url", "http://a", "--token-file", "/nowhere/token"], "does not exist"],
    ] as const) {
      const { code, err } = await add(...args);
      expect([code, err]).toEqual([2, expect.stringContaining(message)]);
      expect(err).not.toContain("secret");
    }
  });

  it("says which name is probably meant, and that the file is spoiled", async () => {
    const { call, file } = person();
    await call(["context", "add", "production", "--url", "http://a"]);
    expect((await call(["context", "use", "prodution"])).err).toContain('did you mean "production"?');
    expect((await call(["gaps", "--context", "toString"])).err).toContain("there are production");
    writeFileSync(file, "{");
    expect(await call(["gaps"])).toMatchObject({ code: 2, err: expect.stringContaining("does not hold contexts") });
  });
});

describe("where a call finds its edge", () => {
  it("takes URL, token and ecosystem of the context in use, of GANGLION_CONTEXT before, and of --context before that", async () => {
    const { call, tokenFile } = person();
    const edges = { used: await askedEdge(), variable: await askedEdge(), option: await askedEdge() };
    for (const [name, { url }] of Object.entries(edges)) {
      const token = tokenFile(name);
      await call(["context", "add", name, "--url", url, "--token-file", token, "--ecosystem", name]);
    }
    await call(["context", "use", "used"]);
    await call(["gaps"]);
    await call(["gaps"], { GANGLION_CONTEXT: "variable" });
    await call(["gaps", "--context", "option"], { GANGLION_CONTEXT: "variable", GANGLION_URL: edges.used.url });
    for (const [name, edge] of Object.entries(edges))
      expect(edge.asked()).toEqual([[`Bearer token-of-${name}`, `/v1/${name}/gaps`]]);
  });

  it("sends the token of a context to the URL of that context alone", async () => {
    const { call, tokenFile } = person();
    const [own, other] = [await askedEdge(), await askedEdge()];
    await call([
      "context",
      "add",
      "own",
      "--use",
      "--url",
      own.url,
      "--token-file",
      tokenFile("own"),
      "--ecosystem",
      "lab",
    ]);
    await call(["gaps", "--url", other.url], { GANGLION_TOKEN: "other" });
    await call(["gaps"], { GANGLION_TOKEN: "other", GANGLION_URL: other.url });
    expect(other.asked()).toEqual(Array(2).fill(["Bearer other", "/v1/default/gaps"]));
    // The token of the environment may be one for another edge.
    await call(["gaps"], { GANGLION_TOKEN: "other", GANGLION_ECOSYSTEM: "another" });
    await call(["gaps", "--token-file", tokenFile("given"), "--ecosystem", "given"]);
    expect(own.asked()).toEqual([
      ["Bearer token-of-own", "/v1/lab/gaps"],
      ["Bearer token-of-given", "/v1/given/gaps"],
    ]);
    expect((await call(["gaps", "--context", "own", "--url", other.url])).err).toContain(
      "--url does not go with --context",
    );
  });

  it("reads no token of a context from a file that others can read by now", async () => {
    const { call, tokenFile } = person();
    const token = tokenFile("prod");
    await call(["context", "add", "prod", "--use", "--url", "http://127.0.0.1:1", "--token-file", token]);
    chmodSync(token, 0o640);
    const { code, err } = await call(["gaps"]);
    expect([code, err]).toEqual([2, expect.stringContaining(`run "chmod 600 ${token}"`)]);
  });
});
