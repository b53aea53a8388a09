import type { PolicyVersion } from "../../src/core/policy/api.ts";
import { queryOf, setQuery } from "../base/router.ts";
import { When } from "../parts/basics.tsx";
import { Table } from "../parts/table.tsx";
import { LineDiff } from "./line-diff.tsx";
import { ruleText } from "./rule-text.ts";

interface VersionsProps {
  readonly versions: readonly PolicyVersion[];
  /** Puts the text of a version into the editor. */
  readonly onTake: (text: string) => void;
}

/** The versions of a rule, newest first, each with what it changed. */
export function Versions({ versions, onTake }: VersionsProps) {
  if (versions.length === 0) return null;
  const shown = queryOf("v");
  const at = versions.findIndex(({ version }) => String(version) === shown);
  const [chosen, before] = [versions[at], versions[at + 1]];
  return (
    <section aria-label="Versions">
      <h2>Versions</h2>
      <Table label="Table of versions" columns={["Version", "Changed", "By", "Decides after signal", "Actions"]}>
        {versions.map(({ version, changed_at, changed_by, after_seq, rule }) => (
          <tr key={version}>
            <th scope="row">{version}</th>
            <td>
              <When at={changed_at} />
            </td>
            <td>{changed_by ?? "Ganglion"}</td>
            <td class="number">{after_seq}</td>
            <td>
              <button
                type="button"
                aria-pressed={String(version) === shown}
                onClick={() => setQuery({ v: String(version) === shown ? "" : String(version) })}
              >
                What it changed
              </button>
              {rule !== null && (
                <button type="button" onClick={() => onTake(ruleText(rule))}>
                  Edit from here
                </button>
              )}
            </td>
          </tr>
        ))}
      </Table>
      {chosen !== undefined && (
        <LineDiff
          title={`Version ${chosen.version} against the one before`}
          before={before === undefined ? "" : ruleText(before.rule)}
          after={ruleText(chosen.rule)}
        />
      )}
    </section>
  );
}
