import type { GatewayIdentity } from "#telemetry/names.ts";
import type { SensorAttributes } from "#telemetry/sensor.ts";
import { valueAt } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

/** A sensor, by its agency and its id there. */
export interface SensorRef {
  readonly agency: string;
  readonly sensor: string;
}

export type AttributeName = keyof SensorAttributes;

/** Attributes that operators decide, each with its own history; null = what the births say. */
export type Overrides = { readonly [Name in AttributeName]?: Timeline<SensorAttributes[Name] | null> };

/**
 * All that is known of one sensor. Plain JSON: it is kept as it stands. Changed only by making another one.
 *
 * There are births, or `place` is overridden at all times: a sensor always has a place.
 */
export interface SensorRecord extends SensorRef {
  /** Who may send its readings. */
  readonly gateway: string;
  /** Milliseconds since 1970. */
  readonly registered_at: number;
  /** Has somebody looked whether it is what it says? Goals count verified sensors only. */
  readonly verified: boolean;
  /** From then on it no longer exists; null while it does. Milliseconds since 1970. */
  readonly retired_at: number | null;
  /** What its gateways said of it. */
  readonly births: Timeline<SensorAttributes>;
  readonly overrides: Overrides;
  /** Where a counter starts again from 0, by field; null = it does not. */
  readonly rollovers: { readonly [field: string]: Timeline<number | null> };
  /** When the device was swapped and its counters started anew; rising, milliseconds since 1970. */
  readonly replacements: readonly number[];
}

/** A sensor of which nothing is known yet but who sends its readings. */
export function newSensor(owner: GatewayIdentity, sensor: string, now: number): SensorRecord {
  return {
    agency: owner.agency,
    sensor,
    gateway: owner.name,
    registered_at: now,
    verified: false,
    retired_at: null,
    births: [],
    overrides: {},
    rollovers: {},
    replacements: [],
  };
}

/**
 * What is known of the sensor at the time of an event: the births' version of that time (before the first: the first),
 * and over it what operators decided for that time.
 */
export function attributesAt(record: SensorRecord, time: number): SensorAttributes {
  const born = valueAt(record.births, time) ?? record.births[0]?.value;
  const attributes: Partial<Record<AttributeName, unknown>> = { ...born };
  for (const [name, timeline] of Object.entries(record.overrides)) {
    const value = valueAt<unknown>(timeline, time) ?? null;
    if (value !== null) attributes[name as AttributeName] = value;
  }
  return attributes as SensorAttributes;
}

/** Where the counter `field` starts again from 0, for readings of `time`; undefined when nobody declared it. */
export function rolloverAt(record: SensorRecord, field: string, time: number): number | undefined {
  const timeline = Object.hasOwn(record.rollovers, field) ? record.rollovers[field] : undefined;
  return valueAt(timeline ?? [], time) ?? undefined;
}

export function isRetired(record: SensorRecord): boolean {
  return record.retired_at !== null;
}

export function sensorKey(agency: string, sensor: string): string {
  return `${agency}/${sensor}`;
}
