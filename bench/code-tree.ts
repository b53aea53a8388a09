import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const NODES = join(import.meta.dirname, "../examples/nodes");
const KINDS = [
  ["effect", "node_user_store_effect.py"],
  ["compute", "node_order_total_compute.py"],
  ["reducer", "node_daily_sales_reducer.py"],
  ["orchestrator", "node_checkout_orchestrator.py"],
] as const;
const PER_DIRECTORY = 100;

/** Makes so many Python files: nodes of all four kinds with functions beside them, some thousand bytes each. */
export function makeCodeTree(root: string, files: number): void {
  const templates = KINDS.map(([kind, name]) => [kind, readFileSync(join(NODES, name), "utf8")] as const);
  for (let file = 0; file < files; file++) {
    const directory = join(root, `package_${Math.floor(file / PER_DIRECTORY)}`);
    if (file % PER_DIRECTORY === 0) mkdirSync(directory, { recursive: true });
    const [kind, text] = templates[file % templates.length] ?? ["effect", ""];
    const functions = Array.from({ length: file % 25 }, (_, each) => helper(file, each)).join("");
    writeFileSync(join(directory, `node_part_${file}_${kind}.py`), `${text}\n${functions}`);
  }
}

const helper = (file: number, each: number): string => `
def step_${file}_${each}(rows: list[dict], limit: int = ${each + 1}) -> dict:
    """Counts rows by their kind, up to a limit."""
    counts: dict[str, int] = {}
    for place, row in enumerate(rows):
        if place >= limit and row.get("kind") is not None:
            break
        try:
            counts[row["kind"]] = counts.get(row["kind"], 0) + ${each}
        except KeyError as error:
            raise ValueError(f"row {place} has no kind") from error
    return counts

`;
