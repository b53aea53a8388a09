import { joinTeam, pathOf, readSpec, writeWhole } from "./team.ts";

/** What each step of a specification comes to in code. */
const STEPS: Readonly<Record<string, string>> = {
  lower: "text.toLowerCase()",
  trim: "text.trim()",
  fold: 'text.normalize("NFD").replace(/\\p{M}/gu, "")',
  "spaces to dashes": 'text.replace(/ +/g, "-")',
  "letters only": 'text.replace(/[^a-z0-9 -]/gi, "")',
};

/** Turns a specification into code. */
joinTeam("coder", {
  SPEC_CREATED: async ({ flow, name, kind }, { delegate }) => {
    const { steps, version } = readSpec(name);
    const lines = steps.map((step) => `  text = ${STEPS[step]}; // ${step}`);
    writeWhole(
      pathOf("code", `${name}.mjs`),
      [`// Version ${version}`, "export default function (text) {", ...lines, "  return text;", "}", ""].join("\n"),
    );
    await delegate("tester", "IMPLEMENTATION_COMPLETE", { flow, name, kind, version });
    return { version, steps };
  },
});
