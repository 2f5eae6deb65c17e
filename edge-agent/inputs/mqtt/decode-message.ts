import { quoted } from "#telemetry/check.ts";
import { parseJson } from "#telemetry/json.ts";
import { SensorId } from "#telemetry/names.ts";
import { parseRfc3339 } from "#telemetry/rfc3339.ts";
import { spell } from "../field-plan.ts";
import { valueAt } from "./json-path.ts";
import type { MessageField, TopicPlan } from "./topic-plan.ts";

/** What a message comes to under one mapping. */
export type Decoded =
  /** Without a time where the message has none. `problems`: fields that were left out although something stood there. */
  | { readonly kind: "lines"; readonly lines: Buffer; readonly problems: readonly string[] }
  /** It has nothing for us: none of the fields, or another's device. */
  | { readonly kind: "nothing"; readonly why: string }
  /** It cannot be read. */
  | { readonly kind: "unreadable"; readonly why: string };

/** A number as JSON and most firmware write it. */
const number = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
/** ECMAScript's range of time values. */
const maxTime = 8.64e15;

/** @param levels  What stands at the topic's named levels. */
export function decodeMessage(
  plan: TopicPlan,
  levels: ReadonlyMap<string, string>,
  payload: Buffer,
): Decoded {
  if (plan.format === "lines") return { kind: "lines", lines: payload, problems: [] };
  const sensor = sensorOf(plan, levels);
  if (typeof sensor !== "string") return sensor;

  let document: unknown;
  if (plan.format === "number") document = payload.toString("utf8").trim();
  else {
    const parsed = parseJson(payload);
    if (!parsed.ok) return { kind: "unreadable", why: parsed.detail };
    document = parsed.value;
  }
  const problems: string[] = [];
  const texts = plan.fields.flatMap((field) => {
    const found = valueOf(document, field);
    if (typeof found === "string") problems.push(found);
    if (typeof found !== "number") return [];
    const text = spell(field.scale(found), field.field);
    return text === undefined ? [] : [`${field.field.name}=${text}`];
  });
  if (texts.length === 0) return { kind: "nothing", why: problems[0] ?? "it has none of the fields" };

  const time = plan.time && timeOf(valueAt(document, plan.time.path), plan.time.unit);
  if (plan.time !== undefined && time === undefined) {
    const why = `${plan.time.path.join(".")} holds ${shown(valueAt(document, plan.time.path))}, which is no time in ${plan.time.unit}`;
    return { kind: "unreadable", why };
  }
  const when = time === undefined ? "" : ` ${time}`;
  const line = `${plan.measurement.name},sensor=${sensor} ${texts.join(",")}${when}\n`;
  return { kind: "lines", lines: Buffer.from(line, "latin1"), problems };
}

function sensorOf(
  { sensor, sensors }: Exclude<TopicPlan, { format: "lines" }>,
  levels: ReadonlyMap<string, string>,
): string | Decoded {
  const name = sensor.replaceAll(/\{([^{}]*)\}/g, (_, level: string) => levels.get(level) ?? "");
  const id = sensors === undefined ? name : sensors.get(name);
  if (id === undefined) return { kind: "nothing", why: `sensors has no ${quoted(name)}` };
  if (SensorId.safeParse(id).success) return id;
  const why = `${quoted(name)} is no sensor id (letters, digits and . _ : -, at most 64): give its id in \`sensors\``;
  return { kind: "unreadable", why };
}

/** The field's number; undefined if there is none; a text says what stands there instead. */
function valueOf(document: unknown, { field, path, words }: MessageField): number | string | undefined {
  const found = path === undefined ? document : valueAt(document, path);
  if (found === undefined || found === null) return undefined;
  const text = textOf(found);
  if (text === undefined) return `${field.name}: ${shown(found)} is no number`;
  const word = words !== undefined && Object.hasOwn(words, text) ? words[text] : undefined;
  if (word !== undefined) return word;
  if (typeof found === "number") return found;
  if (typeof found === "boolean") return Number(found);
  if (number.test(text)) return Number(text);
  return `${field.name}: ${quoted(text)} is no number; \`values\` can say what it means`;
}

/** For people; without what is in a list or an object, which may be nested deeper than `JSON.stringify` can follow. */
function shown(found: unknown): string {
  if (Array.isArray(found)) return "a list";
  if (typeof found === "object" && found !== null) return "an object";
  return found === undefined ? "nothing" : JSON.stringify(found).slice(0, 80);
}

/** Of a word, a number, or true and false. */
function textOf(found: unknown): string | undefined {
  if (typeof found === "string") return found;
  return typeof found === "number" || typeof found === "boolean" ? String(found) : undefined;
}

function timeOf(found: unknown, unit: "ms" | "s" | "rfc3339"): number | undefined {
  if (unit === "rfc3339") return typeof found === "string" ? parseRfc3339(found) : undefined;
  const isNumber = typeof found === "number" || (typeof found === "string" && number.test(found));
  const time = isNumber ? Math.round(Number(found) * (unit === "s" ? 1000 : 1)) : Number.NaN;
  return Math.abs(time) <= maxTime ? time : undefined;
}
