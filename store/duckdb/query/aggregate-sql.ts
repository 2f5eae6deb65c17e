import type { Aggregate, ValueType } from "../../influxql/engine.ts";

/** An aggregate as SQL expressions over `v`, a field's column, and `time`. */
export interface AggregateSql {
  readonly value: string;
  /** ms since 1970 of the point that a selector took; undefined where it is none, or is not asked for. */
  readonly selected?: string;
  readonly type: ValueType;
  /** Whether the value is right, where it was taken on trust. */
  readonly isRight?: string;
}

export interface AggregateUse {
  /** The field's type. */
  readonly type: ValueType;
  /** Rows of a group are of one series: no two of them have the same time. */
  readonly isOneSeries: boolean;
  /** When the point was that a selector took. */
  readonly wantsTime: boolean;
  /** Every row has a value. */
  readonly isComplete: boolean;
  /** The rows of a series may be taken to stand in order of time, if the answer then says whether they do. */
  readonly mayTrustOrder: boolean;
}

/** As InfluxDB computes it (`query/call_iterator.go`, `query/functions.go`, and an influxd where those leave it open). */
export function aggregateSql({ fn, argument }: Aggregate, v: string, use: AggregateUse): AggregateSql {
  const { type, isOneSeries, wantsTime, isComplete } = use;
  const isPresent = isComplete ? "" : `FILTER (WHERE ${v} IS NOT NULL)`;
  /** A value of `v` that comes first in this order. */
  const pick = (way: "min" | "max", order: string, time: string): AggregateSql => {
    const point = `${way}(struct_pack(${order})) ${isPresent}`;
    return { value: `(${point}).v`, type, ...(wantsTime && { selected: time.replace("point", point) }) };
  };
  switch (fn) {
    case "count":
      // No row, no count: what stands there instead is for `fill` to say.
      return { value: `nullif(count(${v}), 0)`, type: "integer" };
    case "sum":
      return { value: `sum(${v})`, type };
    case "mean":
      return { value: `avg(${v})`, type: "float" };
    case "spread":
      return { value: `max(${v}) - min(${v})`, type };
    case "stddev":
      return { value: `stddev_samp(${v})`, type: "float" };
    case "median":
      return { value: `median(${v})`, type: "float" };
    case "min":
      // Of equal ones the earliest.
      if (wantsTime) return pick("min", `v := ${v}, t := epoch_ms(time)`, "(point).t");
      return { value: `min(${v})`, type };
    case "max":
      if (wantsTime) return pick("max", `v := ${v}, t := -epoch_ms(time)`, "-(point).t");
      return { value: `max(${v})`, type };
    case "first":
      if (isOneSeries) return endOfSeries("first", v, isPresent, use);
      // Of several at one time the largest; but false before true.
      if (type === "boolean") return pick("min", `t := epoch_ms(time), v := ${v}`, "(point).t");
      return pick("max", `t := -epoch_ms(time), v := ${v}`, "-(point).t");
    case "last":
      if (isOneSeries) return endOfSeries("last", v, isPresent, use);
      return pick("max", `t := epoch_ms(time), v := ${v}`, "(point).t");
    case "percentile":
      break;
  }
  return percentile(argument ?? 0, v, use);
}

/** A series has one row of each time. In DuckDB the row of an end of time costs three times as much as the one that is met first or last: mostly it is the same. */
function endOfSeries(
  end: "first" | "last",
  v: string,
  isPresent: string,
  { type, wantsTime, mayTrustOrder }: AggregateUse,
): AggregateSql {
  const extreme = end === "first" ? "min" : "max";
  const time = `${extreme}(time) ${isPresent}`;
  return {
    value: mayTrustOrder ? `${end}(${v}) ${isPresent}` : `arg_${extreme}(${v}, time) ${isPresent}`,
    type,
    ...(wantsTime && { selected: `epoch_ms(${time})` }),
    ...(mayTrustOrder && { isRight: `(${end}(time) ${isPresent}) IS NOT DISTINCT FROM (${time})` }),
  };
}

/** The nearest rank, counted from 1; there is none below a half. */
function percentile(percent: number, v: string, { type, wantsTime }: AggregateUse): AggregateSql {
  const rank = `floor(count(${v}) * (${percent.toExponential()}) / 100 + 0.5)::BIGINT`;
  const nth = (point: string): string =>
    `list_sort(list(${point}) FILTER (WHERE ${v} IS NOT NULL))[nullif(greatest(${rank}, 0), 0)]`;
  if (!wantsTime) return { value: nth(v), type };
  const point = nth(`struct_pack(v := ${v}, t := epoch_ms(time))`);
  return { value: `(${point}).v`, type, selected: `(${point}).t` };
}
