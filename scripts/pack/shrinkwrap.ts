/** An entry of package-lock.json, as far as it matters here. */
export interface LockedPackage {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>> | undefined;
  readonly optionalDependencies?: Readonly<Record<string, string>> | undefined;
  readonly peerDependencies?: Readonly<Record<string, string>> | undefined;
  readonly [more: string]: unknown;
}

type Wanted = Pick<LockedPackage, "dependencies" | "optionalDependencies">;

/**
 * The part of a lock file that some packages need: what is installed from the tarball is then what was tested, down to
 * the last dependency, and of the same content.
 */
export function lockedFor(
  root: Wanted,
  locked: Readonly<Record<string, LockedPackage>>,
): Record<string, LockedPackage> {
  const needed: Record<string, LockedPackage> = {};
  const open: { from: string; names: string[] }[] = [{ from: "", names: namesOf(root) }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const name of next.names) {
      const path = find(name, next.from, locked);
      const entry = path === undefined ? undefined : locked[path];
      // An optional one of another platform.
      if (path === undefined || entry === undefined || path in needed) continue;
      const { dev: _dev, resolved: _resolved, ...kept } = entry;
      needed[path] = kept as LockedPackage;
      open.push({ from: path, names: namesOf(entry) });
    }
  }
  return Object.fromEntries(Object.entries(needed).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function namesOf({ dependencies, optionalDependencies, peerDependencies }: Wanted & Partial<LockedPackage>): string[] {
  return [dependencies, optionalDependencies, peerDependencies].flatMap((each) => Object.keys(each ?? {}));
}

/** Where Node finds `name` for a package at `from`: beside it or beside one of those around it. */
function find(name: string, from: string, locked: Readonly<Record<string, unknown>>): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    const path = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (path in locked) return path;
    if (at === "") return undefined;
  }
}
