import { printDuration } from "./durations.ts";
import type { Token } from "./tokens.ts";

/** Values for the `$names` of a text, as JSON has them. */
export type Params = Readonly<Record<string, unknown>>;

type Bound = Pick<Token, "kind" | "text">;

/**
 * What stands for a parameter: a string, number or boolean itself, or an object of one entry that says what it is:
 * `{"regex": "^tf-"}`, `{"identifier": "speed_avg"}`, `{"duration": "1h"}`, `{"integer": 5}`, …
 * @returns a message, if it cannot be bound
 */
export function bind(value: unknown): Bound | string {
  if (typeof value === "string") return { kind: "string", text: value };
  if (typeof value === "boolean") return { kind: "keyword", text: value ? "TRUE" : "FALSE" };
  if (typeof value === "bigint") return { kind: "integer", text: String(value) };
  if (typeof value === "number")
    return Number.isSafeInteger(value) ? { kind: "integer", text: String(value) } : number(value);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return `unable to bind parameter with type ${value === null ? "null" : Array.isArray(value) ? "array" : typeof value}`;

  const entries = Object.entries(value);
  const [entry] = entries;
  if (entry === undefined || entries.length > 1)
    return "bound object parameter value must have exactly one entry";
  const [kind, inner] = entry as [string, unknown];
  switch (kind) {
    case "ident":
    case "identifier":
      return typeof inner === "string" ? { kind: "ident", text: inner } : "identifier must be a string value";
    case "regex":
      return typeof inner === "string"
        ? { kind: "regex", text: inner }
        : "regex literal must be a string value";
    case "string":
      return typeof inner === "string"
        ? { kind: "string", text: inner }
        : "string literal must be a string value";
    case "float":
    case "number":
      return typeof inner === "number" ? number(inner) : "number literal must be a float value";
    case "int":
    case "integer":
      return Number.isSafeInteger(inner)
        ? { kind: "integer", text: String(inner) }
        : "integer literal must be an integer value";
    case "duration":
      if (typeof inner === "string") return { kind: "duration", text: inner };
      return Number.isSafeInteger(inner)
        ? { kind: "duration", text: printDuration(BigInt(Number(inner))) }
        : "duration literal must be a string or integer value";
    default:
      return `unknown bind object type: ${kind}`;
  }
}

const number = (value: number): Bound | string =>
  Number.isFinite(value) ? { kind: "number", text: String(value) } : "number literal must be a float value";
