import type { Source, Statement } from "./ast.ts";

/**
 * The databases that statements name, each once. What `parse` gives only reads; whoever passes it on to an InfluxDB server also asks that
 * these are the platform's own, and sends what `print` makes of the tree, not the text that came: then nothing is sent that was not understood.
 */
export function databasesOf(statements: readonly Statement[]): string[] {
  return [...new Set(statements.flatMap(databasesIn))];
}

function databasesIn(statement: Statement): string[] {
  if (statement.kind === "explain") return databasesIn(statement.statement);
  const own = statement.kind === "show" && statement.database !== undefined ? [statement.database] : [];
  return [...own, ...ofSources(statement.sources)];
}

function ofSources(sources: readonly Source[]): string[] {
  return sources.flatMap((source): string[] => {
    if (source.kind === "subquery") return databasesIn(source.statement);
    return source.database === undefined ? [] : [source.database];
  });
}

/** Only of the database `own`, wherever one is named? */
export function isReadOnlyOf(statements: readonly Statement[], own: string): boolean {
  return databasesOf(statements).every((database) => database === own);
}
