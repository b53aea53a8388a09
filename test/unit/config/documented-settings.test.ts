import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadSettings } from "../../../local-agent/config/settings.ts";
import { temporaryDirectory } from "../store/temporary-state.ts";

const text = readFileSync(new URL("../../../docs/agent.md", import.meta.url), "utf8");
const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = ""]) => yaml);

it.each(examples)("an example of the settings in docs/agent.md passes the check: %s", (yaml) => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "token"), "t", { mode: 0o600 });
  writeFileSync(join(directory, "agent.yaml"), yaml);
  const { problems } = loadSettings(
    { GANGLION_TOKEN: "t", GANGLION_HOST_ID: "h" },
    directory,
    join(directory, "agent.yaml"),
  );
  expect(problems).toEqual([]);
});

it("names every variable in docs/agent.md that the agent reads", () => {
  const source = readFileSync(new URL("../../../local-agent/config/environment.ts", import.meta.url), "utf8");
  for (const [name] of source.matchAll(/\b(?:GANGLION|KLR_CHEM)_[A-Z_]+\b/g))
    if (name !== "GANGLION_PORT") expect(text).toContain(`\`${name}\``);
});
