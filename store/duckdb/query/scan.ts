import type { DuckDBConnection, DuckDBDataChunk } from "@duckdb/node-api";
import type {
  Aggregate,
  Column,
  RawRows,
  ScanGroup,
  ScanRequest,
  ValueType,
  Window,
  WindowedRows,
} from "../../influxql/engine.ts";
import { InfluxqlError } from "../../influxql/errors.ts";
import { Windows } from "../../influxql/windows.ts";
import type { Partition } from "../partition.ts";
import { aggregateSql } from "./aggregate-sql.ts";
import { makeMemberTable } from "./member-table.ts";
import { ColumnReader } from "./read-columns.ts";
import { type RowsRequest, type RowsSql, rowsSql } from "./rows-sql.ts";
import { type Member, type Selection, tagsOf } from "./selection.ts";
import { selectionOf } from "./selections.ts";
import type { SeriesTags } from "./series-tags.ts";
import { type Slice, slices } from "./slices.ts";
import type { Measurement } from "./tables.ts";
import { partRows, partsOf } from "./time-parts.ts";
import { type WindowSql, windowSql } from "./window-sql.ts";

/** Where a scan runs. */
export interface ScanContext {
  readonly connection: DuckDBConnection;
  /** Does all of these: on the scan's connection, and on others beside it as far as there are any. In their order where `connection` is all there is. */
  inParallel<T>(parts: readonly ((connection: DuckDBConnection) => Promise<T>)[]): Promise<T[]>;
  /** Values that one answer may have. */
  readonly values: number;
  /** Rows of a part of a large scan. */
  readonly partRows?: number;
  /** Aborted when the query is over. */
  readonly signal: AbortSignal;
  /** Instead of reading, says what would be run, and what DuckDB says of it. */
  readonly explaining?: { readonly analyze: boolean; say(lines: readonly string[]): void };
}

export async function scan(
  context: ScanContext,
  measurement: Measurement,
  request: ScanRequest,
): Promise<ScanGroup[]> {
  const groups = measurement.groups(request.from, request.to);
  const first = groups.at(0);
  const last = groups.at(-1);
  if (first === undefined || last === undefined) return [];
  const from = Math.max(request.from, Math.min(...first.map((table) => table.from)));
  const to = Math.min(request.to, Math.max(...last.map((table) => table.to)));
  const tags = await measurement.tags();
  const { predicate, groupBy, rows } = request;
  const byTags = rows.kind === "raw";
  const selection = await selectionOf(tags, { from, to, predicate, groupBy, byTags }, context.signal);
  if (selection.members.length === 0) return [];
  const scanning = new Scanning(context, { measurement, request, tags, selection, groups, from, to });
  return rows.kind === "raw" ? await scanning.raw(rows) : await scanning.windowed(rows);
}

const rowGroupsPerSeries = 32;

interface Scanned {
  readonly measurement: Measurement;
  readonly request: ScanRequest;
  readonly tags: SeriesTags;
  readonly selection: Selection;
  readonly groups: readonly (readonly Partition[])[];
  readonly from: number;
  readonly to: number;
}

class Scanning {
  readonly #context: ScanContext;
  readonly #scanned: Scanned;
  readonly #types: ReadonlyMap<string, ValueType>;
  readonly #groupOfSeries: ReadonlyMap<number, number> | undefined;
  /** Whose the members in a connection's table are. */
  readonly #made = new Map<DuckDBConnection, readonly Member[]>();
  /** Read so far. */
  #values = 0;

  constructor(context: ScanContext, scanned: Scanned) {
    this.#context = context;
    this.#scanned = scanned;
    this.#types = scanned.measurement.fields;
    this.#groupOfSeries = groupOfSeries(scanned.selection);
  }

  async windowed({ window, aggregates: asked, wantsTimes = false }: WindowedRows): Promise<ScanGroup[]> {
    const { from, to, groups, request, selection } = this.#scanned;
    const { connection } = this.#context;
    const aggregates = asked.filter(({ field }) => this.#types.has(field));
    if (aggregates.length === 0) return [];
    const side = aggregates.every(({ fn }) => fn === "first")
      ? "asc"
      : aggregates.every(({ fn }) => fn === "last")
        ? "desc"
        : undefined;
    const found =
      window === undefined && side !== undefined
        ? await this.#outermost(aggregates, side)
        : window === undefined
          ? await this.#aggregate(connection, { tables: groups.flat(), from, to, selection }, { aggregates })
          : await this.#inWindows({ window, aggregates, wantsTimes });
    // Aggregates of a field that is not there have no values.
    const places = asked.map((aggregate) => aggregates.indexOf(aggregate));
    return found.map(({ group, time, columns, selected }) => ({
      tags: selection.groups[group]!,
      time: window === undefined ? Float64Array.of(request.from) : time,
      columns: places.map((place) => columns[place] ?? nothing(window === undefined ? 1 : time.length)),
      ...((window === undefined || wantsTimes) && { selected: places.map((place) => selected[place]) }),
    }));
  }

  /** First or last values, sought from that end on: the groups that have theirs are not asked for again. */
  async #outermost(aggregates: readonly Aggregate[], side: "asc" | "desc"): Promise<Aggregated[]> {
    const { connection } = this.#context;
    const found = new Map<number, Aggregated>();
    const missing = new Set(this.#scanned.selection.groups.keys());
    for await (const slice of this.#slices(side, missing.size)) {
      const selection = this.#reduced(missing);
      for (const next of await this.#aggregate(connection, { ...slice, selection }, { aggregates })) {
        const before = found.get(next.group);
        const merged = before === undefined ? next : filledUp(before, next);
        found.set(next.group, merged);
        if (merged.columns.every(hasValue)) missing.delete(next.group);
      }
      if (missing.size === 0 || this.#isOnlyExplained()) break;
    }
    return [...found.values()].toSorted((a, b) => a.group - b.group);
  }

  /** Many rows in parts of whole windows, which may run beside one another. */
  async #inWindows({
    window,
    aggregates,
    wantsTimes,
  }: Pick<WindowedRows, "aggregates" | "wantsTimes"> & {
    readonly window: Window;
  }): Promise<Aggregated[]> {
    const { from, to, groups, selection } = this.#scanned;
    const sql = windowSql(window, from, to);
    // Of a sorted table, a series stands in a few of its row groups.
    const share = Math.min(1, (rowGroupsPerSeries * selection.members.length) / this.#scanned.tags.size);
    const parts = partsOf(
      groups,
      { from, to, share, rows: this.#context.partRows ?? partRows },
      new Windows(window),
    );
    const found = await this.#context.inParallel(
      parts.map(
        (part) => (connection) =>
          this.#aggregate(connection, { ...part, selection }, { aggregates, window: sql, wantsTimes }),
      ),
    );
    if (found.length === 1) return found[0]!;
    const byGroup = Map.groupBy(found.flat(), ({ group }) => group);
    return [...byGroup.values()].map(inSequence).sort((a, b) => a.group - b.group);
  }

  async #aggregate(
    connection: DuckDBConnection,
    part: Pick<RowsRequest, "tables" | "from" | "to" | "selection">,
    {
      aggregates,
      window,
      wantsTimes = false,
      mayTrustOrder = true,
    }: {
      readonly aggregates: readonly Aggregate[];
      readonly window?: WindowSql | undefined;
      readonly wantsTimes?: boolean | undefined;
      readonly mayTrustOrder?: boolean;
    },
  ): Promise<Aggregated[]> {
    const { selection } = this.#scanned;
    const fields = [...new Set(aggregates.map(({ field }) => field))];
    // Grouped by series where that comes to the same: it costs no join.
    const isBySeries = this.#groupOfSeries !== undefined;
    const by = selection.groups.length === 1 ? "nothing" : isBySeries ? "series" : "group";
    const rows = rowsSql({ ...part, types: this.#types, fields, by });
    const computed = aggregates.map((aggregate) =>
      aggregateSql(aggregate, `v${fields.indexOf(aggregate.field)}`, {
        type: this.#types.get(aggregate.field)!,
        isOneSeries: isBySeries,
        wantsTime: window === undefined || wantsTimes,
        isComplete: fields.length === 1,
        mayTrustOrder,
      }),
    );
    const checked = computed.flatMap(({ isRight }) => isRight ?? []);
    const keys = [...rows.keys, ...(window === undefined ? [] : ["w"])];
    const outputs: Output[] = [
      ...keys.map((sql) => ({ sql, kind: "number" as const })),
      ...computed.map(({ value, type }) => ({ sql: value, kind: kindOf(type) })),
      ...computed.flatMap(({ selected }) =>
        selected === undefined ? [] : [{ sql: selected, kind: "number" as const }],
      ),
      ...(checked.length > 0 ? [{ sql: checked.join(" AND "), kind: "number" as const }] : []),
    ];
    const windowed = window === undefined ? rows.sql : `SELECT *, ${window.sql} AS w FROM (${rows.sql})`;
    const order = window === undefined ? "" : ` ORDER BY ${keys.join()}`;
    const grouped = keys.length === 0 ? " HAVING count(*) > 0" : ` GROUP BY ${keys.join()}${order}`;
    const read = await this.#run(connection, rows, outputs, `(${windowed})${grouped}`);
    const starts = window === undefined ? noTime : read.numbers(keys.length - 1);
    if (window !== undefined) for (let i = 0; i < starts.length; i++) starts[i] = window.startOf(starts[i]!);
    if (checked.length > 0 && read.numbers(outputs.length - 1).includes(0))
      return await this.#aggregate(connection, part, {
        aggregates,
        window,
        wantsTimes,
        mayTrustOrder: false,
      });
    const found: Aggregated[] = [];
    for (const { from, to, key } of runs(rows.keys.length === 0 ? undefined : read.numbers(0), read.rows)) {
      const group = by === "series" ? this.#groupOfSeries!.get(key) : key;
      if (group === undefined) continue;
      let at = keys.length + computed.length;
      found.push({
        group,
        time: starts.subarray(from, to),
        columns: computed.map(({ type }, i) => columnOf(read, keys.length + i, type, from, to)),
        selected: computed.map(({ selected }) =>
          selected === undefined ? undefined : read.numbers(at++).subarray(from, to),
        ),
      });
    }
    return found.sort((a, b) => a.group - b.group);
  }

  async raw({ columns, order, limit }: RawRows): Promise<ScanGroup[]> {
    const { selection, groups, from, to } = this.#scanned;
    const fields = [
      ...new Set(
        columns.flatMap(({ kind, name }) => (kind === "field" && this.#types.has(name) ? [name] : [])),
      ),
    ];
    if (fields.length === 0) return [];
    const found = new Map<number, RawPart[]>();
    if (limit === undefined)
      await this.#rows({ tables: groups.flat(), from, to, selection }, fields, { order, found });
    else await this.#firstRows(fields, order, limit, found);
    return [...found]
      .toSorted(([a], [b]) => a - b)
      .map(([group, parts]) => this.#rawGroup(group, parts, columns, fields, limit));
  }

  async #firstRows(
    fields: readonly string[],
    order: "asc" | "desc",
    limit: number,
    found: Map<number, RawPart[]>,
  ): Promise<void> {
    const missing = new Set(this.#scanned.selection.groups.keys());
    for await (const slice of this.#slices(order, missing.size * limit)) {
      await this.#rows({ ...slice, selection: this.#reduced(missing) }, fields, { order, limit, found });
      for (const [group, parts] of found) if (rowsOf(parts) >= limit) missing.delete(group);
      if (missing.size === 0 || this.#isOnlyExplained()) return;
    }
  }

  async #rows(
    part: Pick<RowsRequest, "tables" | "from" | "to" | "selection">,
    fields: readonly string[],
    how: { order: "asc" | "desc"; limit?: number; found: Map<number, RawPart[]> },
  ): Promise<void> {
    const { members } = this.#scanned.selection;
    const rows = rowsSql({
      ...part,
      types: this.#types,
      fields,
      by: members.length === 1 ? "nothing" : "member",
    });
    const outputs: Output[] = [
      ...["epoch_ms(time)", ...rows.keys].map((sql) => ({ sql, kind: "number" as const })),
      ...fields.map((name, i) => ({ sql: `v${i}`, kind: kindOf(this.#types.get(name)!) })),
    ];
    const direction = how.order === "desc" ? " DESC" : "";
    const order = rows.keys.length === 0 ? `time${direction}` : `g, time${direction}, k`;
    const isOneGroup = new Set(part.selection.members.map(({ group }) => group)).size === 1;
    let limited = "";
    if (how.limit !== undefined && !isOneGroup)
      limited = ` QUALIFY row_number() OVER (PARTITION BY g ORDER BY time${direction}, k) <= ${how.limit}`;
    limited += ` ORDER BY ${order}`;
    if (how.limit !== undefined && isOneGroup) limited += ` LIMIT ${how.limit}`;
    const read = await this.#run(this.#context.connection, rows, outputs, `(${rows.sql})${limited}`);
    const at = 1 + rows.keys.length;
    for (const { from, to, key } of runs(rows.keys.length === 0 ? undefined : read.numbers(1), read.rows)) {
      const found: RawPart = {
        time: read.numbers(0).subarray(from, to),
        members: rows.keys.length === 0 ? new Float64Array(to - from) : read.numbers(2).subarray(from, to),
        columns: fields.map((name, i) => columnOf(read, at + i, this.#types.get(name)!, from, to)),
      };
      const parts = how.found.get(key);
      if (parts === undefined) how.found.set(key, [found]);
      else parts.push(found);
    }
  }

  #rawGroup(
    group: number,
    parts: readonly RawPart[],
    columns: RawRows["columns"],
    fields: readonly string[],
    limit = Number.POSITIVE_INFINITY,
  ): ScanGroup {
    const rows = Math.min(limit, rowsOf(parts));
    const members = joined(
      parts.map((part) => part.members),
      rows,
    );
    return {
      tags: this.#scanned.selection.groups[group]!,
      time: joined(
        parts.map(({ time }) => time),
        rows,
      ),
      columns: columns.map(({ kind, name }): Column => {
        if (kind === "tag") return { type: "string", values: this.#tagColumn(members, name) };
        const at = fields.indexOf(name);
        if (at === -1) return nothing(rows);
        return joinedColumns(
          parts.map((part) => part.columns[at]!),
          rows,
        );
      }),
    };
  }

  /** A tag that a row's series does not have is null, as InfluxDB answers it. */
  #tagColumn(members: Float64Array, key: string): (string | null)[] {
    const { selection, tags } = this.#scanned;
    const known = new Map<number, string | null>();
    return Array.from(members, (member) => {
      let value = known.get(member);
      if (value === undefined) {
        const found = tagsOf(tags, selection.members[member]!)[key] ?? "";
        known.set(member, (value = found === "" ? null : found));
      }
      return value;
    });
  }

  /** @param wanted  rows that may be enough */
  async *#slices(order: "asc" | "desc", wanted: number): AsyncGenerator<Slice> {
    const { groups, from, to } = this.#scanned;
    for await (const slice of slices(this.#context.connection, groups, {
      from,
      to,
      order,
      wanted,
    })) {
      this.#context.signal.throwIfAborted();
      yield slice;
    }
  }

  #reduced(groups: ReadonlySet<number>): RowsRequest["selection"] {
    const { selection } = this.#scanned;
    if (groups.size === selection.groups.length) return selection;
    const members = selection.members.filter(({ group }) => groups.has(group));
    return { members, conditions: selection.conditions, isAll: false };
  }

  /** Of slices, the first stands for all. */
  #isOnlyExplained(): boolean {
    this.#context.explaining?.say(["… and so on, until each group has what is asked for"]);
    return this.#context.explaining !== undefined;
  }

  async #run(
    connection: DuckDBConnection,
    rows: RowsSql,
    outputs: readonly Output[],
    from: string,
  ): Promise<ColumnReader> {
    this.#context.signal.throwIfAborted();
    // Before the snapshot: of a table with changes of the same transaction, DuckDB makes no perfect hash join.
    if (rows.members !== undefined && this.#made.get(connection) !== rows.members.members) {
      await makeMemberTable(connection, rows.members);
      this.#made.set(connection, rows.members.members);
    }
    const columns = outputs.map(({ sql, kind }) => (kind === "text" ? sql : `(${sql})::DOUBLE`));
    const sql = `SELECT ${columns.join(", ")} FROM ${from}`;
    const parameters = rows.parameters.of(sql);
    const read = new ColumnReader(outputs.map(({ kind }) => kind));
    const { explaining } = this.#context;
    if (explaining !== undefined) {
      explaining.say(sqlLines(sql, parameters));
      if (explaining.analyze) explaining.say(await profileOf(connection, sql, parameters));
      return read;
    }
    const add = (chunk: DuckDBDataChunk): void => {
      read.add(chunk);
      this.#count(chunk.rowCount * outputs.length);
    };
    if (this.#mostRows() * outputs.length <= this.#context.values)
      await readAtOnce(connection, sql, parameters, add);
    else await readAsItComes(connection, sql, parameters, add);
    return read;
  }

  /** Of one statement: DuckDB does not count an answer that is read at once as its memory. */
  #mostRows(): number {
    const { request, selection, from, to } = this.#scanned;
    if (request.rows.kind === "raw") return Infinity;
    const { window } = request.rows;
    return selection.groups.length * (window === undefined ? 1 : (to - from) / window.every_ms + 2);
  }

  #count(values: number): void {
    this.#values += values;
    if (this.#values > this.#context.values)
      throw new InfluxqlError(
        "limit",
        `the query reads more than ${this.#context.values} values (limit query_max_values): ask for a shorter time, fewer series or fewer fields, or group by longer times`,
      );
    this.#context.signal.throwIfAborted();
  }
}

type Parameters = Readonly<Record<string, string>>;

/** Nothing can be written in it. Where the work fails, its connection is closed (`Database.lend`), and the transaction with it. */
const begin = "BEGIN TRANSACTION READ ONLY";

/** In few turns, which are what a small answer costs. */
async function readAtOnce(
  connection: DuckDBConnection,
  sql: string,
  parameters: Parameters,
  add: (chunk: DuckDBDataChunk) => void,
): Promise<void> {
  const isPlain = Object.keys(parameters).length === 0;
  const result = await connection.run(`${begin}; ${sql}`, isPlain ? undefined : parameters);
  for (let i = 0; i < result.chunkCount; i++) add(result.getChunk(i));
  await connection.run("ROLLBACK");
}

/** What is too much is noticed before all of it is in memory. */
async function readAsItComes(
  connection: DuckDBConnection,
  sql: string,
  parameters: Parameters,
  add: (chunk: DuckDBDataChunk) => void,
): Promise<void> {
  await connection.run(begin);
  const result = await connection.stream(sql, parameters);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    add(chunk);
  }
  await connection.run("ROLLBACK");
}

function sqlLines(sql: string, parameters: Parameters): string[] {
  return [sql, ...Object.entries(parameters).map(([name, value]) => `$${name} = ${JSON.stringify(value)}`)];
}

async function profileOf(
  connection: DuckDBConnection,
  sql: string,
  parameters: Parameters,
): Promise<string[]> {
  const read = await connection.runAndReadAll(`EXPLAIN ANALYZE ${sql}`, parameters);
  return (read.getRowsJS() as [string, string][]).flatMap(([, text]) => text.trimEnd().split("\n"));
}

interface Output {
  readonly sql: string;
  readonly kind: "number" | "text";
}

interface Aggregated {
  readonly group: number;
  readonly time: Float64Array;
  readonly columns: readonly Column[];
  readonly selected: readonly (Float64Array | undefined)[];
}

interface RawPart {
  readonly time: Float64Array;
  /** By number. */
  readonly members: Float64Array;
  /** Of the fields. */
  readonly columns: readonly Column[];
}

const noTime = new Float64Array(0);

const known = new WeakMap<Selection, { readonly groups: ReturnType<typeof groupsBySeries> }>();

function groupOfSeries(selection: Selection): ReturnType<typeof groupsBySeries> {
  let found = known.get(selection);
  if (found === undefined) known.set(selection, (found = { groups: groupsBySeries(selection) }));
  return found.groups;
}

/** Series' groups, where each group has one series and each series is in one group alone. */
function groupsBySeries({ members, groups }: Selection): ReadonlyMap<number, number> | undefined {
  if (members.length !== groups.length) return undefined;
  const found = new Map(members.map(({ series, group }) => [series, group]));
  return found.size === members.length && new Set(found.values()).size === members.length ? found : undefined;
}

/** Stretches of the same key. */
function* runs(
  keys: Float64Array | undefined,
  rows: number,
): Generator<{ readonly from: number; readonly to: number; readonly key: number }> {
  if (keys === undefined) {
    if (rows > 0) yield { from: 0, to: rows, key: 0 };
    return;
  }
  for (let from = 0, to = 0; from < rows; from = to) {
    const key = keys[from]!;
    while (to < rows && keys[to] === key) to++;
    yield { from, to, key };
  }
}

function kindOf(type: ValueType): Output["kind"] {
  return type === "string" ? "text" : "number";
}

function columnOf(read: ColumnReader, column: number, type: ValueType, from: number, to: number): Column {
  if (type === "string") return { type, values: read.texts(column).slice(from, to) };
  return { type, values: read.numbers(column).subarray(from, to) };
}

function joinedColumns(columns: readonly Column[], rows = Number.POSITIVE_INFINITY): Column {
  const { type } = columns[0]!;
  if (type === "string")
    return {
      type,
      values: columns.flatMap((column) => [...(column.values as (string | null)[])]).slice(0, rows),
    };
  return {
    type,
    values: joined(
      columns.map(({ values }) => values as Float64Array),
      rows,
    ),
  };
}

function joined(parts: readonly Float64Array[], rows = Number.POSITIVE_INFINITY): Float64Array {
  if (parts.length === 1) return parts[0]!.subarray(0, rows);
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all.subarray(0, rows);
}

function rowsOf(parts: readonly RawPart[]): number {
  return parts.reduce((sum, { time }) => sum + time.length, 0);
}

function nothing(rows: number): Column {
  return { type: "float", values: new Float64Array(rows).fill(Number.NaN) };
}

function hasValue({ values }: Column): boolean {
  const [value] = values;
  return value !== null && !Number.isNaN(value);
}

/** Parts of one group, one after the other in time. */
function inSequence(parts: readonly Aggregated[]): Aggregated {
  const first = parts[0]!;
  if (parts.length === 1) return first;
  return {
    group: first.group,
    time: joined(parts.map(({ time }) => time)),
    columns: first.columns.map((_, i) => joinedColumns(parts.map(({ columns }) => columns[i]!))),
    selected: first.selected.map((times, i) => times && joined(parts.map(({ selected }) => selected[i]!))),
  };
}

/** The one row of each, with the second's where the first has none. */
function filledUp(first: Aggregated, second: Aggregated): Aggregated {
  const isThere = first.columns.map(hasValue);
  return {
    ...first,
    columns: first.columns.map((column, i) => (isThere[i]! ? column : second.columns[i]!)),
    selected: first.selected.map((times, i) => (isThere[i]! ? times : second.selected[i])),
  };
}
