import { MarsadError } from "#runtime/errors.ts";
import type { GatewayIdentity } from "#telemetry/names.ts";
import type { SensorAttributes } from "#telemetry/sensor.ts";
import { isRetired, newSensor } from "./sensor-record.ts";
import type { AttributeName, SensorRecord } from "./sensor-record.ts";
import { setFrom } from "./timeline.ts";
import type { Timeline } from "./timeline.ts";

/**
 * What operators do to a sensor: each function makes the next record of the one it is given, the same one when nothing changes.
 * They throw `MarsadError` (`REFUSED`, `ALREADY_EXISTS`) with a message for the operator. Times are milliseconds since 1970.
 */

/** New values by attribute; null = from then on what the births say. */
export type AttributeChanges = { readonly [Name in AttributeName]?: SensorAttributes[Name] | null };

/** New rollovers by counter field; null = it has none. */
export type RolloverChanges = { readonly [field: string]: number | null };

export interface SensorChanges {
  readonly attributes: AttributeChanges;
  readonly rollovers: RolloverChanges;
}

/** All that is said of a new sensor. */
export interface SensorDescription extends SensorChanges {
  readonly attributes: SensorAttributes;
}

/**
 * Registers a sensor without a birth. What the operator says of it holds for all times and wins over births to come. A retired
 * sensor comes back: as another device, described anew from `now` on.
 */
export function addSensor(
  known: SensorRecord | undefined,
  owner: GatewayIdentity,
  sensor: string,
  description: SensorDescription,
  now: number,
): SensorRecord {
  const { attributes, rollovers } = description;
  if (known && !isRetired(known)) {
    throw new MarsadError(
      "ALREADY_EXISTS",
      `Sensor ${sensor} of ${owner.agency} exists, behind gateway ${known.gateway}; change it with \`marsad sensor set\`.`,
    );
  }
  if (!known) return override(newSensor(owner, sensor, now), description, 0);
  const back: SensorRecord = {
    ...known,
    gateway: owner.name,
    verified: false,
    retired_at: null,
    births: known.births.length === 0 ? [] : setFrom(known.births, now, attributes),
  };
  const changes = {
    attributes: { ...cleared(known.overrides), ...attributes },
    rollovers: { ...cleared(known.rollovers), ...rollovers },
  };
  return replaceDevice(override(back, changes, now), now);
}

/** From `validFrom` on the operator's word counts, whatever was decided for later times before. */
export function override(record: SensorRecord, changes: SensorChanges, validFrom: number): SensorRecord {
  if (changes.attributes.place === null && record.births.length === 0) {
    throw new MarsadError(
      "REFUSED",
      `The place of ${record.sensor} cannot be cleared: no birth says where it is. Set another one.`,
    );
  }
  const overrides = setAll(record.overrides, changes.attributes, validFrom);
  const rollovers = setAll(record.rollovers, changes.rollovers, validFrom);
  if (overrides === record.overrides && rollovers === record.rollovers) return record;
  return { ...record, overrides, rollovers };
}

/** Somebody has looked: the sensor is what it says. */
export function verify(record: SensorRecord): SensorRecord {
  return record.verified ? record : { ...record, verified: true };
}

/** The sensor's readings come through another gateway of its agency, at once. */
export function moveToGateway(record: SensorRecord, gateway: GatewayIdentity): SensorRecord {
  if (gateway.agency !== record.agency) {
    throw new MarsadError(
      "REFUSED",
      `Gateway ${gateway.name} is of agency ${gateway.agency}, sensor ${record.sensor} of ${record.agency}. A series belongs to ` +
        "its agency: retire the sensor and add it there.",
    );
  }
  return gateway.name === record.gateway ? record : { ...record, gateway: gateway.name };
}

/** Another device speaks under the same id from `at` on: its counters start anew, the series goes on. */
export function replaceDevice(record: SensorRecord, at: number): SensorRecord {
  if (isRetired(record)) {
    throw new MarsadError(
      "REFUSED",
      `Sensor ${record.sensor} is retired; \`marsad sensor add\` brings it back as another device.`,
    );
  }
  if (record.replacements.includes(at)) return record;
  return {
    ...record,
    replacements: [...record.replacements, at].sort((a, b) => a - b).slice(-maxReplacements),
  };
}

/** The sensor no longer exists; its history stays, later readings are refused. */
export function retire(record: SensorRecord, at: number): SensorRecord {
  if (isRetired(record)) {
    throw new MarsadError(
      "REFUSED",
      `Sensor ${record.sensor} was retired at ${new Date(record.retired_at ?? 0).toISOString()} already.`,
    );
  }
  return { ...record, retired_at: at };
}

/** Replacements remembered of one sensor; the oldest are forgotten first. */
const maxReplacements = 256;

function cleared(timelines: object): Record<string, null> {
  return Object.fromEntries(Object.keys(timelines).map((name) => [name, null]));
}

/** A copy with each change entered in its timeline; the same object when there is none. */
function setAll<Timelines extends object>(
  timelines: Timelines,
  changes: object,
  validFrom: number,
): Timelines {
  const known = { ...timelines } as Record<string, Timeline<unknown>>;
  let changed = false;
  for (const [name, value] of Object.entries(changes)) {
    const before = Object.hasOwn(known, name) ? known[name]! : [];
    if (value === undefined || (value === null && before.length === 0)) continue;
    const after = setFrom(before, validFrom, value);
    if (after === before) continue;
    known[name] = after;
    changed = true;
  }
  return changed ? (known as Timelines) : timelines;
}
