import type { Zone } from "#telemetry/zone.ts";
import type { ResultSeries } from "./result.ts";
import { zoneOf } from "./zones.ts";

/** How times are written: as `QueryRequest.epoch`; undefined: RFC 3339, with a zone's own offset. */
export interface TimeForm {
  readonly epoch: "ns" | "u" | "ms" | "s" | "m" | "h" | undefined;
  /** The statement's `tz()`. */
  readonly zone: string | undefined;
}

/** A cell's text, by the row's number. */
export type Cell = (row: number) => string;

export interface CellForms {
  readonly nothing: string;
  float(value: number): string;
  string(value: string): string;
  /** RFC 3339 text, or a number's. */
  time(text: string, isNumber: boolean): string;
}

/** What writes each of a series' columns. */
export function cellsOf({ values }: ResultSeries, form: TimeForm, forms: CellForms): Cell[] {
  return values.map((column): Cell => {
    if (column.type === "string") {
      const texts = new Map<string, string>();
      return (row) => {
        const value = column.values[row] ?? null;
        if (value === null) return forms.nothing;
        let text = texts.get(value);
        if (text === undefined) {
          text = forms.string(value);
          if (texts.size < mostRemembered) texts.set(value, text);
        }
        return text;
      };
    }
    const numbers = column.values;
    if (column.type === "time") {
      const write = timeWriter(form);
      const isNumber = form.epoch !== undefined;
      return (row) => forms.time(write(numbers[row]!), isNumber);
    }
    const { type } = column;
    return (row) => {
      const value = numbers[row]!;
      if (!Number.isFinite(value)) return forms.nothing;
      if (type === "boolean") return value === 0 ? "false" : "true";
      return type === "integer" ? wholeNumber(value) : forms.float(value);
    };
  });
}

/** A column of tags says the same again and again. */
const mostRemembered = 1_000;

function wholeNumber(value: number): string {
  return Math.abs(value) < 1e21 ? String(value) : String(BigInt(value));
}

/** ms in each unit of an epoch, where that is ms or longer. */
const unit_ms = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

function timeWriter({ epoch, zone }: TimeForm): (ms: number) => string {
  if (epoch === "ns" || epoch === "u") {
    const zeros = epoch === "ns" ? "000000" : "000";
    return (ms) => (ms === 0 ? "0" : `${ms}${zeros}`);
  }
  if (epoch !== undefined) return (ms) => String(Math.trunc(ms / unit_ms[epoch]) + 0);
  const found = zone === undefined ? undefined : zoneOf(zone);
  return (ms) => rfc3339(ms, found);
}

/** As Go writes it: no zeros at the end of the second's fraction. */
function rfc3339(ms: number, zone: Zone | undefined): string {
  const offset = zone?.offsetAt(ms) ?? 0;
  const text = new Date(ms + offset).toISOString();
  const fraction = text.slice(-4, -1).replace(/0+$/, "");
  return `${text.slice(0, -5)}${fraction === "" ? "" : `.${fraction}`}${offsetText(offset)}`;
}

function offsetText(offset_ms: number): string {
  if (offset_ms === 0) return "Z";
  const minutes = Math.trunc(Math.abs(offset_ms) / 60_000);
  const [hour, minute] = [Math.trunc(minutes / 60), minutes % 60].map((part) =>
    String(part).padStart(2, "0"),
  );
  return `${offset_ms < 0 ? "-" : "+"}${hour}:${minute}`;
}
