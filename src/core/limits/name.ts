/** Name of a limit: a path segment that needs no escaping. */
export const LIMIT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
export const LIMIT_RULE =
  "the name of a limit starts with a letter or digit and holds letters, digits and . _ - (63 at most)";
