import type { Expr } from "../../influxql/ast.ts";
import type { ValueType } from "../../influxql/engine.ts";
import { refsIn } from "../../influxql/expressions.ts";
import { type Partition, sqlName } from "../partition.ts";
import { integers, quoted, timestamp } from "../sql.ts";
import { Parameters, conditionSql } from "./field-condition.ts";
import { type MemberTable, memberTableName } from "./member-table.ts";
import type { Member, Selection } from "./selection.ts";

/** Which rows of a measurement a statement reads. */
export interface RowsRequest {
  readonly tables: readonly Partition[];
  /** ms since 1970, [from, to). */
  readonly from: number;
  readonly to: number;
  readonly selection: Omit<Selection, "groups">;
  /** Its fields' types over all tables. */
  readonly types: ReadonlyMap<string, ValueType>;
  /** What the statement takes of a row, v0, v1 … in the SQL; each has a type. Only rows that have one of them. */
  readonly fields: readonly string[];
  /** What tells rows apart that the statement must tell apart. */
  readonly by: "member" | "group" | "series" | "nothing";
}

/** A query whose columns are those that tell rows apart, `time`, `v0` …, and what goes with it. */
export interface RowsSql {
  readonly sql: string;
  readonly parameters: Parameters;
  /** By `member`: `g`, of the group, and `k`, of the member; by `group`: `g`; by `series`: `k`, the series' number. */
  readonly keys: readonly ("g" | "k")[];
  /** To be made first. */
  readonly members: MemberTable | undefined;
}

/** Up to so many series are named in the statement: DuckDB then leaves out row groups that have none of them. */
const mostNamed = 1_000;

const sqlTypes = { float: "DOUBLE", integer: "BIGINT", boolean: "BOOLEAN", string: "VARCHAR" } as const;

export function rowsSql(request: RowsRequest): RowsSql {
  const { fields, by, selection, types } = request;
  const { members, conditions, isAll } = selection;
  const asked = conditions.flatMap((each) => (each === true ? [] : refsIn(each).map(({ name }) => name)));
  const names = [...new Set([...fields, ...asked.filter((name) => types.has(name))])];
  const parameters = new Parameters();
  const column = (name: string): { sql: string; type: ValueType } | undefined => {
    const type = types.get(name);
    return type && { sql: `v${names.indexOf(name)}`, type };
  };
  const isMet = (condition: Expr | true): string =>
    condition === true ? "TRUE" : conditionSql(condition, column, parameters);

  const series = isAll ? undefined : [...new Set(members.map((member) => member.series))];
  const named = series !== undefined && series.length <= mostNamed ? series : undefined;
  const tables = tablesSql(request, names, named);
  const present = fields.map((_, i) => `v${i} IS NOT NULL`).join(" OR ");
  const values = names.map((_, i) => `, v${i}`).join("");
  const isTimed = members.some(isTimedMember);
  const isPlain = !isTimed && conditions.length === 1 && (isAll || named !== undefined);
  if (isPlain && (by === "nothing" || by === "series")) {
    const key = by === "series" ? "series AS k, " : "";
    const sql = `SELECT ${key}time${values} FROM (${tables}) WHERE (${present}) AND ${isMet(conditions[0]!)}`;
    return { sql, parameters, keys: by === "series" ? ["k"] : [], members: undefined };
  }
  const apart =
    conditions.length === 1
      ? isMet(conditions[0]!)
      : `CASE condition ${conditions.map((each, i) => `WHEN ${i} THEN ${isMet(each)}`).join(" ")} END`;
  const inTime = isTimed ? " AND time >= since AND time < until" : "";
  const key = { member: "g, k, ", group: "g, ", series: "rows.series AS k, ", nothing: "" }[by];
  const table = { members, isTimed, number: selection.number };
  const sql =
    `SELECT ${key}time${values} FROM (${tables}) AS rows JOIN ${memberTableName(table)} AS members ` +
    `ON rows.series = members.series${inTime} WHERE (${present}) AND ${apart}`;
  const keys = { member: ["g", "k"], group: ["g"], series: ["k"], nothing: [] } as const;
  return { sql, parameters, keys: keys[by], members: table };
}

function tablesSql(
  { tables, types, from, to }: RowsRequest,
  names: readonly string[],
  series: readonly number[] | undefined,
): string {
  const selects = tables.map((partition) => {
    const has = new Map<string, string>(partition.columns.map(({ name, type }) => [name, type]));
    const columns = names.map((name, i) => {
      const type = sqlTypes[types.get(name)!];
      const value = has.has(name) ? quoted(name) : "NULL";
      return `, ${has.get(name) === type ? value : `${value}::${type}`} AS v${i}`;
    });
    const where = [
      ...(from > partition.from ? [`time >= ${timestamp(from)}`] : []),
      ...(to < partition.to ? [`time < ${timestamp(to)}`] : []),
      ...(series === undefined ? [] : [`series IN (${integers(series)})`]),
    ];
    const filter = where.length > 0 ? ` WHERE ${where.join(" AND ")}` : "";
    return `SELECT series, time${columns.join("")} FROM ${sqlName(partition)}${filter}`;
  });
  return selects.join(" UNION ALL ");
}

function isTimedMember({ from, to }: Member): boolean {
  return from !== Number.NEGATIVE_INFINITY || to !== Number.POSITIVE_INFINITY;
}
