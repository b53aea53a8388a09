import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { directory } from "../../../src/workers/bindings/objects.ts";
import { makeToken } from "../access/tokens-under-test.ts";
import { call, freshEcosystem } from "../api/calls.ts";
import "../log-under-test.ts";

test("the list of ecosystems names those that the token may read, and no other", async () => {
  const [own, other] = [freshEcosystem(), freshEcosystem()];
  for (const eco of [own, other]) await directory(env).touch(eco, Date.now());
  const names = async (token: string) => {
    const answer = await call("/v1/ecosystems", { token });
    const { ecosystems } = (await answer.json()) as { ecosystems: { name: string }[] };
    return ecosystems.map(({ name }) => name);
  };
  expect(await names((await makeToken(own, ["signals:read"])).token)).toEqual([own]);
  const all = await makeToken(own, ["signals:read"], { ecosystems: ["*"] });
  expect(await names(all.token)).toEqual(expect.arrayContaining([own, other]));
  const { token } = await makeToken(own, ["signals:write"]);
  expect((await call("/v1/ecosystems", { token })).status).toBe(403);
});
