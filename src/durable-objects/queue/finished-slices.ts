const PREFIX = "finished_";

/** Numbers of the tables of finished tasks, `finished_<number>`, oldest first. */
export function finishedSlices(sql: SqlStorage): number[] {
  return [...sql.exec<{ name: string }>(`SELECT name FROM sqlite_master WHERE name GLOB '${PREFIX}[0-9]*'`)]
    .map(({ name }) => Number(name.slice(PREFIX.length)))
    .sort((a, b) => a - b);
}
