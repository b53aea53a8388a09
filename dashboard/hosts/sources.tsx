import { Table } from "../parts/table.tsx";
import { inLine } from "../parts/words.ts";

/** A part of a host's report that names things with a state. */
interface Part {
  readonly name: string;
  readonly state: string;
  readonly detail: string;
}

/** What else runs on the host, as its agent reports it: sources, sinks, the link. */
export function HostSources({ runs }: { readonly runs: Readonly<Record<string, unknown>> | null }) {
  const parts = Object.entries(runs ?? {}).flatMap(([kind, value]) =>
    kind === "agents" || kind === "version" ? [] : partsOf(kind, value),
  );
  if (parts.length === 0) return null;
  return (
    <Table label="What else its agent runs" caption="What else its agent runs" columns={["Part", "State", "Detail"]}>
      {parts.map(({ name, state, detail }) => (
        <tr key={name}>
          <th scope="row">{name}</th>
          <td>{state}</td>
          <td class="faint">{detail}</td>
        </tr>
      ))}
    </Table>
  );
}

/** The host decides what it reports: lists of things with a name and a state are shown, and other fields as they are. */
function partsOf(kind: string, value: unknown): Part[] {
  if (!Array.isArray(value)) return [{ name: kind, state: "", detail: inLine(value, 160) }];
  return value.flatMap((one: unknown) => {
    if (typeof one !== "object" || one === null || !("name" in one)) return [];
    const { name, state, detail } = one as Readonly<Record<string, unknown>>;
    return [{ name: `${kind}: ${String(name)}`, state: String(state ?? ""), detail: inLine(detail ?? "", 160) }];
  });
}
