import type { Catalogue, Measurement } from "#telemetry/catalogue.ts";
import { type FieldPlan, type Planned, planField, planMeasurement } from "../field-plan.ts";
import { decodeCoil, decodeNumber, decodeRegisterBit } from "./decode.ts";
import { type Located, type Span, maxCount, planReads } from "./read-plan.ts";
import {
  type FieldRegister,
  type RegisterMap,
  type RowRegister,
  type TimeRegister,
  registersOf,
} from "./register-map.ts";

export interface DeviceField extends FieldPlan {
  readonly register: FieldRegister;
  readonly located: Located;
}

/** How a model of device is read: its register map, settled against the catalogue. */
export interface DevicePlan {
  readonly measurement: Measurement;
  /** In one request where the device shows a row: between two it could show the next one. */
  readonly requests: readonly Span[];
  readonly fields: readonly DeviceField[];
  readonly time:
    | (Pick<TimeRegister, "type" | "order"> & { readonly located: Located; readonly milliseconds: number })
    | undefined;
  readonly row: (Pick<RowRegister, "type"> & { readonly located: Located }) | undefined;
}

/** What a device shows. */
export interface Shown {
  /** Its own event time, milliseconds since 1970; undefined without a time register, and when that holds no time. */
  readonly time: number | undefined;
  /** What the time register holds where that is no time: milliseconds beyond any calendar, or NaN. */
  readonly noTime: number | undefined;
  /** The row's number as its bytes; undefined without a row register. */
  readonly row: string | undefined;
  /** By the plan's fields, in the catalogue's units; NaN = absent. */
  readonly values: readonly number[];
}

/** The problems begin with the key below the map: `fields.flow.unit: …`. */
export function planDevice(map: RegisterMap, catalogue: Catalogue): Planned<DevicePlan> {
  const measurement = planMeasurement(map.measurement, catalogue);
  if (!measurement.ok) return measurement;
  const problems: string[] = [];
  const { time, row } = map;
  const names = Object.entries(map.fields);
  const registers = [
    ...names.map(([, register]) => register),
    ...(time ? [time] : []),
    ...(row ? [row] : []),
  ];
  const spans = registers.map(({ table, register, type }): Span => ({
    table,
    register,
    count: registersOf[type],
  }));
  const { requests, located } = planReads(spans, row === undefined ? map.gap : maxCount("holding"));
  if (row !== undefined && requests.length > 1) {
    problems.push(
      "row: a row is read in one request, but these registers need " +
        `${requests.length}: they must stand in one table, within ${maxCount("holding")} registers`,
    );
  }
  const fields = names.flatMap(([name, register], index) => {
    const planned = planField(name, register, measurement.plan);
    if (planned.ok) return [{ ...planned.plan, register, located: located[index]! }];
    problems.push(...planned.problems);
    return [];
  });
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    plan: {
      measurement: measurement.plan,
      requests,
      fields,
      time: time && {
        type: time.type,
        order: time.order,
        located: located[names.length]!,
        milliseconds: time.unit === "s" ? 1000 : 1,
      },
      row: row && { type: row.type, located: located.at(-1)! },
    },
  };
}

/** The raw number of one field, before scaling; NaN if the answers are too short. @param answers By the plan's requests. */
export function rawOf({ register, located }: DeviceField, answers: readonly Buffer[]): number {
  const answer = answers[located.request];
  if (answer === undefined) return Number.NaN;
  const { type, order, table, bit } = register;
  if (type !== "bool") return decodeNumber(answer, { at: located.at, type, order });
  if (table === "coil" || table === "discrete") return decodeCoil(answer, located.at);
  return decodeRegisterBit(answer, located.at, bit);
}

/** @param answers By the plan's requests: registers, or packed bits, as they come over the wire. */
export function decodeShown(plan: DevicePlan, answers: readonly Buffer[]): Shown {
  const values = plan.fields.map((field) => {
    const raw = rawOf(field, answers);
    if (raw === field.register.absent) return Number.NaN;
    const value = field.scale(raw);
    return Number.isFinite(value) ? value : Number.NaN;
  });
  return { ...timeOf(plan, answers), row: rowOf(plan, answers), values };
}

function timeOf({ time }: DevicePlan, answers: readonly Buffer[]): Pick<Shown, "time" | "noTime"> {
  if (time === undefined) return { time: undefined, noTime: undefined };
  const { located, type, order, milliseconds } = time;
  const answer = answers[located.request] ?? Buffer.alloc(0);
  const shown = Math.round(decodeNumber(answer, { at: located.at, type, order }) * milliseconds);
  const isTime = Math.abs(shown) <= maxTime;
  return { time: isTime ? shown : undefined, noTime: isTime ? undefined : shown };
}

/** ECMAScript's range of time values. */
const maxTime = 8.64e15;

function rowOf({ row }: DevicePlan, answers: readonly Buffer[]): string | undefined {
  if (row === undefined) return undefined;
  const from = 2 * row.located.at;
  return answers[row.located.request]?.toString("hex", from, from + 2 * registersOf[row.type]);
}
