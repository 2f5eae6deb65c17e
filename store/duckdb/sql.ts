/** `name` as an SQL identifier. Every table and column name in a statement goes through here. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `ms` since 1970 as a literal of the time column's own type: with any other, DuckDB casts the column and prunes nothing. */
export function timestamp(ms: number): string {
  return `TIMESTAMP_MS '${new Date(ms).toISOString()}'`;
}

/** Whole numbers as the inside of an `IN (…)`. */
export function integers(values: readonly number[]): string {
  for (const value of values) {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no whole number`);
  }
  return values.join(",");
}

/** `text` as an SQL string. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
