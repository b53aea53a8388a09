/** Values of an object that have no table of their own, by name. Table: `notes(name, value)`. */
export class Notes<Name extends string> {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec("CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
  }

  read(name: Name): string | undefined {
    return [...this.#sql.exec<{ value: string }>("SELECT value FROM notes WHERE name = ?", name)][0]?.value;
  }

  write(name: Name, value: string): void {
    this.#sql.exec(
      "INSERT INTO notes (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
      name,
      value,
    );
  }

  delete(name: Name): void {
    this.#sql.exec("DELETE FROM notes WHERE name = ?", name);
  }
}

/** The name that an object has noted. */
export function notedName(sql: SqlStorage): string | undefined {
  return new Notes<"name">(sql).read("name");
}
