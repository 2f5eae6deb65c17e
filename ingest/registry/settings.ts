import { z } from "zod";
import { SensorAttributes } from "#telemetry/sensor.ts";
import type { SensorChanges } from "./operator.ts";
import type { AttributeName } from "./sensor-record.ts";

const attributeSchemas: Record<AttributeName, z.ZodType> = SensorAttributes.shape;

/** What can be set, in the order of the schema. */
export const attributeNames = Object.keys(attributeSchemas) as AttributeName[];

const rolloverPrefix = "rollover.";
const Rollover = z.number().positive();
const FieldName = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/);

export type ParsedSettings =
  | { readonly ok: true; readonly changes: SensorChanges }
  | { readonly ok: false; readonly error: string };

/**
 * Reads `KEY=VALUE` as an operator types it. Keys are sensor attributes, and `rollover.FIELD` for a counter that starts again
 * from 0; an empty value clears. Values are read as the attribute's schema wants them: text, a number, numbers with commas
 * (`position=51.53,25.29`) or JSON.
 */
export function parseSettings(settings: readonly string[]): ParsedSettings {
  const attributes: Record<string, unknown> = {};
  const rollovers: Record<string, number | null> = {};
  for (const setting of settings) {
    const equals = setting.indexOf("=");
    if (equals < 1) return refuse(`"${setting}" is not KEY=VALUE`);
    const key = setting.slice(0, equals);
    const text = setting.slice(equals + 1);
    if (Object.hasOwn(attributeSchemas, key)) {
      if (Object.hasOwn(attributes, key)) return refuse(`${key} is given twice`);
      const value = parseValue(attributeSchemas[key as AttributeName], text);
      if (!value.ok) return refuse(`${setting}: ${value.error}`);
      attributes[key] = value.value;
    } else if (
      key.startsWith(rolloverPrefix) &&
      FieldName.safeParse(key.slice(rolloverPrefix.length)).success
    ) {
      const value = parseValue(Rollover, text);
      if (!value.ok) return refuse(`${setting}: ${value.error}`);
      rollovers[key.slice(rolloverPrefix.length)] = value.value;
    } else {
      return refuse(
        `unknown key "${key}"; there are ${attributeNames.join(", ")} and ${rolloverPrefix}FIELD`,
      );
    }
  }
  return { ok: true, changes: { attributes, rollovers } };
}

type ParsedValue<T> =
  | { readonly ok: true; readonly value: T | null }
  | { readonly ok: false; readonly error: string };

/** The first way to read `text` that the schema accepts. */
function parseValue<T>(schema: z.ZodType<T>, text: string): ParsedValue<T> {
  if (text === "") return { ok: true, value: null };
  let error = "";
  for (const candidate of readings(text)) {
    const parsed = schema.safeParse(candidate);
    if (parsed.success) return { ok: true, value: parsed.data };
    error = parsed.error.issues.map((issue) => issue.message.replace("Invalid input: ", "")).join("; ");
  }
  // Where the schema only names a type, what the attribute means helps more.
  const meaning = error.startsWith("expected") ? schema.description : undefined;
  return { ok: false, error: meaning === undefined ? error : `${error} (${meaning})` };
}

/** Everything that `text` may mean, the plainest first. */
function* readings(text: string): Generator {
  yield text;
  const numbers = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (numbers.every(Number.isFinite)) yield numbers.length === 1 ? numbers[0] : numbers;
  if (!/^[[{]/.test(text)) return;
  try {
    yield JSON.parse(text);
  } catch {
    // not JSON: what was said of the other readings stands
  }
}

function refuse(error: string): ParsedSettings {
  return { ok: false, error };
}
