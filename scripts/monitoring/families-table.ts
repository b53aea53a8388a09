import { sampleName } from "../../src/core/metrics/exposition.ts";
import { FAMILIES } from "../../src/core/metrics/families.ts";

const BEGIN = "<!-- families: made from src/core/metrics/families.ts -->\n";
const TABLE = /(?:\|.*\n)*/;

/** The document with the table of families in its place. */
export function withFamilies(document: string): string {
  const [before, after] = document.split(BEGIN);
  if (before === undefined || after === undefined) throw new Error(`the document has no line ${BEGIN}`);
  const rows = FAMILIES.map(({ name, type, labels, help }) => {
    const shown = labels.length === 0 ? "" : `{${labels.join(",")}}`;
    return `| \`${sampleName(name, type)}${shown}\` | ${type} | ${help} |\n`;
  });
  return `${before}${BEGIN}| metric | type | what |\n|---|---|---|\n${rows.join("")}\n${after.replace(TABLE, "").trimStart()}`;
}
