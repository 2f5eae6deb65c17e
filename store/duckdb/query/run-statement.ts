import type { DuckDBConnection } from "@duckdb/node-api";
import type { MeasurementSource, Source, Statement } from "../../influxql/ast.ts";
import type { Engine, QueryLimits, ScanGroup, ScanRequest, ValueType } from "../../influxql/engine.ts";
import { execute } from "../../influxql/execute.ts";
import { explain, explanationResult } from "../../influxql/explain.ts";
import { compareNames } from "../../influxql/name-order.ts";
import { compileRegex } from "../../influxql/regex/index.ts";
import type { StatementResult } from "../../influxql/result.ts";
import { type MeasurementSeries, show } from "../../influxql/show.ts";
import { policies } from "../../query.ts";
import { Serial } from "../../serial.ts";
import { type ScanContext, scan } from "./scan.ts";
import { tagsOf } from "./selection.ts";
import type { SeriesTags } from "./series-tags.ts";
import type { Measurement, TableSource } from "./tables.ts";

export interface StatementContext {
  readonly connection: DuckDBConnection;
  readonly tables: TableSource;
  /** ms since 1970. */
  readonly now: number;
  readonly limits: QueryLimits;
  /** Retention policy of measurements that name none. */
  readonly policy: string | undefined;
  readonly signal: AbortSignal;
  /** Another connection for the work, where one is free. */
  help(work: (connection: DuckDBConnection) => Promise<void>): Promise<void> | undefined;
}

/** Runs a statement on what is committed. */
export async function runStatement(
  statement: Statement,
  context: StatementContext,
): Promise<StatementResult> {
  const seen = new Seen(context.tables);
  if (statement.kind === "show") {
    const { policy, now, signal } = context;
    return await show(statement, seen, { policy, now, signal });
  }
  const select = statement.kind === "explain" ? statement.statement : statement;
  // Before any snapshot begins: all of these tables are in it.
  await seen.load(measurementsOf(select.sources), context.policy);
  const engine = new StatementEngine(context, seen);
  const { signal, policy } = context;
  if (statement.kind === "select") return await execute(statement, engine, { signal, policy });
  const explanation = explain(select, engine, { policy });
  const lines = new Map<ScanRequest, readonly string[]>();
  for (const { request } of explanation.scans)
    lines.set(request, await engine.explain(request, statement.analyze));
  return explanationResult(explanation, (request) => lines.get(request) ?? []);
}

function measurementsOf(sources: readonly Source[]): MeasurementSource[] {
  return sources.flatMap((source) =>
    source.kind === "subquery" ? measurementsOf(source.statement.sources) : [source],
  );
}

/** Measurements as a statement sees them: as they were when it first looked. */
class Seen {
  readonly policies = policies;
  readonly #tables: TableSource;
  readonly #measurements = new Map<string, { readonly is: Measurement; tags?: SeriesTags }>();
  readonly #series = new WeakMap<SeriesTags, MeasurementSeries>();

  constructor(tables: TableSource) {
    this.#tables = tables;
  }

  /** What a statement names, so that it can be asked about at once. */
  async load(sources: readonly MeasurementSource[], policy: string = policies[0]): Promise<void> {
    for (const source of sources) {
      const names =
        "name" in source.name
          ? [source.name.name]
          : this.measurements(source.policy ?? policy).filter((name) =>
              compileRegex((source.name as { regex: string }).regex).test(name),
            );
      for (const name of names) await this.#tagsOf(source.policy ?? policy, name);
    }
  }

  measurements(policy: string): readonly string[] {
    return this.#tables.measurements(policy).toSorted(compareNames);
  }

  measurement(policy: string, name: string): Measurement | undefined {
    return this.#find(policy, name)?.is;
  }

  fields(policy: string, name: string): ReadonlyMap<string, ValueType> {
    return this.#find(policy, name)?.is.fields ?? new Map();
  }

  tagKeys(policy: string, name: string): readonly string[] {
    return this.#find(policy, name)?.tags?.keys ?? [];
  }

  async series(policy: string, name: string): Promise<MeasurementSeries | undefined> {
    const tags = await this.#tagsOf(policy, name);
    if (tags === undefined) return undefined;
    let series = this.#series.get(tags);
    if (series === undefined) this.#series.set(tags, (series = seriesOf(tags)));
    return series;
  }

  async #tagsOf(policy: string, name: string): Promise<SeriesTags | undefined> {
    const found = this.#find(policy, name);
    if (found !== undefined) found.tags ??= await found.is.tags();
    return found?.tags;
  }

  #find(policy: string, name: string): { readonly is: Measurement; tags?: SeriesTags } | undefined {
    const key = `${policy} ${name}`;
    const known = this.#measurements.get(key);
    if (known !== undefined) return known;
    const is = this.#tables.measurement(policy, name);
    if (is !== undefined) this.#measurements.set(key, { is });
    return this.#measurements.get(key);
  }
}

function seriesOf(tags: SeriesTags): MeasurementSeries {
  return {
    keys: tags.keys,
    *tagSets() {
      for (let place = 0; place < tags.size; place++)
        for (const life of tags.livesAt(place)) yield tagsOf(tags, life);
    },
  };
}

class StatementEngine implements Engine {
  readonly schema: Seen;
  readonly now: number;
  readonly limits: QueryLimits;
  readonly #context: StatementContext;
  /** A connection runs one statement at a time. */
  readonly #scans = new Serial();

  constructor(context: StatementContext, schema: Seen) {
    this.#context = context;
    this.schema = schema;
    this.now = context.now;
    this.limits = context.limits;
  }

  scan(request: ScanRequest): Promise<ScanGroup[]> {
    return this.#scans.run(() => this.#scan(request));
  }

  /** What would be run for it. */
  async explain(request: ScanRequest, analyze: boolean): Promise<string[]> {
    const said: string[] = [];
    await this.#scan(request, { analyze, say: (lines) => said.push(...lines) });
    return said;
  }

  async #scan(request: ScanRequest, explaining?: ScanContext["explaining"]): Promise<ScanGroup[]> {
    const { connection, limits, signal } = this.#context;
    const measurement = this.schema.measurement(request.policy, request.measurement);
    if (measurement === undefined) return [];
    const context: ScanContext = {
      connection,
      inParallel: (parts) => this.#inParallel(parts),
      values: limits.values,
      signal,
      ...(explaining && { explaining }),
    };
    return await scan(context, measurement, request);
  }

  /** Each connection takes the next part when it has done one. Each is a snapshot of its own, and each row in one part alone. */
  async #inParallel<T>(parts: readonly ((connection: DuckDBConnection) => Promise<T>)[]): Promise<T[]> {
    const { connection } = this.#context;
    const results: T[] = [];
    let next = 0;
    const work = async (on: DuckDBConnection): Promise<void> => {
      try {
        while (next < parts.length) {
          const part = next++;
          results[part] = await parts[part]!(on);
        }
      } catch (error) {
        next = parts.length;
        throw error;
      }
    };
    const workers: Promise<void>[] = [];
    for (let beside = 1; beside < parts.length; beside++) {
      const helping = this.#context.help(work);
      if (helping === undefined) break;
      workers.push(helping);
    }
    workers.push(work(connection));
    const failed = (await Promise.allSettled(workers)).find((each) => each.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    return results;
  }
}
