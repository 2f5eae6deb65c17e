import { problem, quoted } from "../check.ts";
import type { Problem } from "../check.ts";

/** The newest version of SenML that is read: RFC 8428's. */
const knownVersion = 10;
/** In seconds: times below are relative to now (RFC 8428, 4.5.3). */
const firstAbsoluteTime = 2 ** 28;
/** Characters of a name, base name included. */
export const maxNameLength = 255;
/** Characters of a base unit. A base name or unit is resolved into every record behind it: one of 200 kB would make gigabytes of a message. */
export const maxBaseUnitLength = 64;
/** Arrays and objects within one another in what a label holds. Of thousands, `JSON.stringify` has no stack to make a dead letter's text. */
const maxNesting = 16;
const namePattern = /^[A-Za-z0-9][-A-Za-z0-9:./_]*$/;

/** A record with the pack's base values applied (RFC 8428, 4.6). */
export interface SenmlRecord {
  /** The base name in effect, and the record's own name: together its name. */
  readonly baseName: string;
  readonly ownName: string;
  readonly unit: string | undefined;
  /** Undefined where there is only a sum; a `vd` is its text. */
  readonly value: number | boolean | string | undefined;
  /** In the unit times seconds. */
  readonly sum: number | undefined;
  /** Whole milliseconds since 1970; NaN where the record's time is none. */
  readonly time: number;
  /** Of the pack; 10 where it says nothing. */
  readonly version: number;
  /** What makes it no record that could be read. */
  readonly problem: Problem | undefined;
  /** As it came. */
  readonly source: Readonly<Record<string, unknown>>;
}

/**
 * The records of a SenML pack, resolved; `now` (milliseconds since 1970) is what relative times are relative to.
 *
 * A pack is refused whole for what would change the meaning of its other records: a root that is no array, an element that is no object, a base
 * value of a wrong type or too long a text, a version above 10 or more than one version, and a label ending in `_` that is not known; and for a label that
 * is nested deeply. Other unknown labels are ignored. A record of base values alone is no reading.
 */
export function resolvePack(pack: unknown, now: number): SenmlRecord[] | Problem {
  if (!Array.isArray(pack)) return problem("syntax", "a SenML pack is an array of records");
  const records: SenmlRecord[] = [];
  const base = new Base();
  for (let i = 0; i < pack.length; i += 1) {
    const source = (pack as readonly unknown[])[i];
    if (typeof source !== "object" || source === null || Array.isArray(source)) {
      return problem("syntax", `record ${i} of the pack is no object`);
    }
    const record = resolveRecord(source as Readonly<Record<string, unknown>>, i, base, now);
    if (record === undefined) continue;
    if ("reason" in record) return record;
    records.push(record);
  }
  return records;
}

/** The base values in effect. */
class Base {
  name = "";
  time = 0;
  unit: string | undefined;
  value = 0;
  sum: number | undefined;
  version: number | undefined;
}

/** @returns undefined for a record of base values alone */
function resolveRecord(
  source: Readonly<Record<string, unknown>>,
  index: number,
  base: Base,
  now: number,
): SenmlRecord | Problem | undefined {
  let name: unknown;
  let unit: unknown;
  let time: unknown;
  let sum: unknown;
  let value: unknown;
  let kind = "";
  let values = 0;
  let regular = 0;
  // Labels in the order of their frequency. Base values first would be two passes: they are used below, when all are known.
  for (const label in source) {
    const content = source[label];
    if (typeof content === "object" && isDeeper(content, maxNesting)) {
      return problem(
        "syntax",
        `${quoted(label)} of record ${index} is nested more than ${maxNesting} levels deep`,
      );
    }
    switch (label) {
      case "n":
        name = content;
        regular += 1;
        break;
      case "v":
      case "vb":
      case "vs":
      case "vd":
        kind = label;
        value = content;
        values += 1;
        regular += 1;
        break;
      case "t":
        time = content;
        regular += 1;
        break;
      case "u":
        unit = content;
        regular += 1;
        break;
      case "s":
        sum = content;
        regular += 1;
        break;
      case "ut":
        regular += 1;
        break;
      default: {
        const refused = takeBase(label, content, index, base);
        if (refused) return refused;
      }
    }
  }
  base.version ??= knownVersion;
  if (regular === 0) return undefined;

  const bad = checkTexts(name, unit) ?? checkValue(kind, value, values, sum, base.sum);
  return {
    // A name that is no text is none, whatever stands before it.
    baseName: name === undefined || typeof name === "string" ? base.name : "",
    ownName: typeof name === "string" ? name : "",
    unit: typeof unit === "string" ? unit : base.unit,
    value:
      kind === "v" && typeof value === "number"
        ? value + base.value
        : (value as boolean | string | undefined),
    sum: typeof sum === "number" ? sum + (base.sum ?? 0) : base.sum,
    time: resolveTime(time, base.time, now),
    version: base.version,
    problem: bad,
    source,
  };
}

function isDeeper(content: unknown, levels: number): boolean {
  if (typeof content !== "object" || content === null) return false;
  return levels === 0 || Object.values(content).some((inner) => isDeeper(inner, levels - 1));
}

/** Puts a base value into effect. */
function takeBase(label: string, content: unknown, index: number, base: Base): Problem | undefined {
  switch (label) {
    case "bn":
      if (!isText(content, maxNameLength)) return wrongText(label, index, maxNameLength);
      base.name = content;
      return undefined;
    case "bt":
      if (typeof content !== "number") return wrongBase(label, index, "a number");
      base.time = content;
      return undefined;
    case "bu":
      if (!isText(content, maxBaseUnitLength)) return wrongText(label, index, maxBaseUnitLength);
      base.unit = content;
      return undefined;
    case "bv":
      if (typeof content !== "number") return wrongBase(label, index, "a number");
      base.value = content;
      return undefined;
    case "bs":
      if (typeof content !== "number") return wrongBase(label, index, "a number");
      base.sum = content;
      return undefined;
    case "bver":
      return takeVersion(content, index, base);
    default:
      if (!label.endsWith("_")) return undefined;
      return problem(
        "syntax",
        `record ${index} has the label ${quoted(label)}, which must be understood and is not known here`,
      );
  }
}

function takeVersion(content: unknown, index: number, base: Base): Problem | undefined {
  if (typeof content !== "number" || !Number.isInteger(content) || content < 1) {
    return wrongBase("bver", index, "a whole number above 0");
  }
  if (content > knownVersion) {
    return problem(
      "syntax",
      `the pack is SenML of version ${content}; this platform reads up to ${knownVersion}`,
    );
  }
  if (base.version !== undefined && base.version !== content) {
    return problem(
      "syntax",
      `record ${index} has version ${content}, those before ${base.version}: a pack has one`,
    );
  }
  base.version = content;
  return undefined;
}

function isText(content: unknown, maxLength: number): content is string {
  return typeof content === "string" && content.length <= maxLength;
}

function wrongText(label: string, index: number, maxLength: number): Problem {
  return wrongBase(label, index, `a text of at most ${maxLength} characters`);
}

function wrongBase(label: string, index: number, wanted: string): Problem {
  return problem("syntax", `\`${label}\` of record ${index} is not ${wanted}`);
}

function checkTexts(name: unknown, unit: unknown): Problem | undefined {
  if (name !== undefined && typeof name !== "string") return problem("syntax", "`n` is no text");
  return unit === undefined || typeof unit === "string" ? undefined : problem("syntax", "`u` is no text");
}

/** Is a record's whole name one? Not looked at in `resolvePack`: names that were right before are known. */
export function checkName(name: string): Problem | undefined {
  if (namePattern.test(name) && name.length <= maxNameLength) return undefined;
  if (name === "") return problem("syntax", "the record has no name: `n`, or `bn` before it");
  return problem(
    "syntax",
    `${quoted(name)} is no SenML name: 1 to ${maxNameLength} letters, digits and - : . / _, the first a letter or digit`,
  );
}

const kinds: Readonly<Record<string, string>> = { v: "number", vb: "boolean", vs: "string", vd: "string" };

/** One value, or a sum; each of its type. */
function checkValue(
  kind: string,
  value: unknown,
  values: number,
  sum: unknown,
  baseSum: number | undefined,
): Problem | undefined {
  if (values > 1) return problem("syntax", "the record has more than one of v, vb, vs and vd");
  if (values === 1 && typeof value !== kinds[kind]) {
    return problem(
      "wrong-type",
      `\`${kind}\` is a ${kinds[kind]}, not ${value === null ? "null" : typeof value}`,
    );
  }
  if (sum !== undefined && typeof sum !== "number") return problem("wrong-type", "`s` is no number");
  if (values === 0 && sum === undefined && baseSum === undefined) {
    return problem("syntax", "the record has neither a value (v, vb, vs, vd) nor a sum (s)");
  }
  return undefined;
}

/**
 * A record's time; `base` and a number of its own are in seconds, and together relative to now below 2^28.
 * @returns Milliseconds since 1970; NaN: `own` is no time.
 */
export function resolveTime(own: unknown, base: number, now: number): number {
  if (own !== undefined && typeof own !== "number") return Number.NaN;
  const seconds = base + (own ?? 0);
  // Milliseconds are whole here; doubles of seconds are good to a millionth for the next century.
  const milliseconds = Math.round(seconds * 1000);
  // An absolute time before 1978 cannot be written: what reaches back beyond is of that year, and too old all the same.
  return seconds < firstAbsoluteTime ? Math.max(now + milliseconds, firstAbsoluteTime * 1000) : milliseconds;
}

/** Resolved records as a pack of their own: what `resolvePack` makes of it is the same again, whatever time it is then. */
export function formatPack(records: readonly SenmlRecord[]): string {
  return `[${records.map(formatRecord).join(",")}]`;
}

function formatRecord(record: SenmlRecord): string {
  const { unit, value, sum, time, version, source } = record;
  const name = record.baseName + record.ownName;
  const labels = [
    `"n":${JSON.stringify("n" in source && typeof source["n"] !== "string" ? source["n"] : name)}`,
  ];
  if (version !== knownVersion) labels.push(`"bver":${version}`);
  const ownUnit = "u" in source && typeof source["u"] !== "string" ? source["u"] : unit;
  if (ownUnit !== undefined) labels.push(`"u":${JSON.stringify(ownUnit)}`);
  labels.push(`"t":${Number.isNaN(time) ? JSON.stringify(source["t"]) : number(time / 1000)}`);
  const given = Object.keys(kinds).filter((label) => Object.hasOwn(source, label));
  for (const label of given) {
    const content = label === "v" && given.length === 1 ? value : source[label];
    labels.push(`"${label}":${typeof content === "number" ? number(content) : JSON.stringify(content)}`);
  }
  if ("s" in source && typeof source["s"] !== "number") labels.push(`"s":${JSON.stringify(source["s"])}`);
  else if (sum !== undefined) labels.push(`"s":${number(sum)}`);
  if ("ut" in source) labels.push(`"ut":${JSON.stringify(source["ut"])}`);
  return `{${labels.join(",")}}`;
}

/** JSON has no infinity but numbers that are read as one. */
function number(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  return value > 0 ? "1e999" : "-1e999";
}
