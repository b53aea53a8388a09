/** A section of a unit: its name, and lines, of which those that are `false` are left out. */
export type Section = readonly (readonly [string, readonly (string | false)[]])[];

/** The text of a unit file. @see systemd.syntax(7) */
export function unitFile(writtenBy: string, sections: Section): string {
  const text = sections
    .map(([name, lines]) => `[${name}]\n${lines.filter((line) => line !== false).join("\n")}\n`)
    .join("\n");
  return `# Written by ${writtenBy}\n${text}`;
}

/** The pause between restarts: before 254 it is constant, from then on it grows. */
export function restartLines(systemdVersion: number): string[] {
  return systemdVersion >= 254 ? ["RestartSec=1", "RestartSteps=6", "RestartMaxDelaySec=60"] : ["RestartSec=3"];
}

/** One word of a command line. @see systemd.syntax(7): `%` begins a specifier, `$` a variable */
export function quoted(word: string): string {
  const escaped = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w@%+=:,./$-]+$/.test(word) ? escaped : `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
