import { BatchBuffer } from "#edge-agent/batch-buffer.ts";
import { LineFilters } from "#edge-agent/filters/line-filters.ts";
import { FilterRule } from "#edge-agent/filters/rule.ts";
import { LineIntake } from "#edge-agent/line-intake.ts";
import { takeFiltered } from "#edge-agent/line-stage.ts";

type Rule = Parameters<typeof FilterRule.parse>[0];

/** The time of every test's first reading: a whole hour. */
export const t0 = 1_764_000_000_000;

/** An intake with filters, and the lines that it lets go, in order. */
export interface Filtered {
  readonly filters: LineFilters;
  readonly intake: LineIntake;
  /** @param arrival  That of the test's readings, if not given: they are long past. */
  take(lines: readonly string[], arrival?: number): void;
  tick(now: number): void;
  flush(): void;
  /** Everything sent so far. */
  sent(): string[];
}

export function openFilters(rules: readonly Rule[], capacity = 4096): Filtered {
  const batch = new BatchBuffer(capacity);
  const lines: string[] = [];
  let counted = 0;
  const seal = (): void => {
    counted += batch.count;
    lines.push(...batch.take(Buffer.alloc(0)).toString("latin1").split("\n").slice(0, -1));
    if (lines.length !== counted) throw new Error(`${counted} lines counted, ${lines.length} there`);
  };
  const filters = new LineFilters(rules.map((rule) => FilterRule.parse(rule)));
  const stage = { batch, seal, filters };
  const intake = new LineIntake(stage, 1024);
  return {
    filters,
    intake,
    take(text, arrival = t0 + 86_400_000): void {
      const bytes = Buffer.from(text.map((line) => `${line}\n`).join(""), "latin1");
      intake.take(bytes, 0, bytes.length, arrival);
    },
    tick(now): void {
      filters.tick(now);
      takeFiltered(stage);
    },
    flush(): void {
      filters.flush();
      takeFiltered(stage);
    },
    sent(): string[] {
      if (batch.count > 0) seal();
      return lines;
    },
  };
}

/** A line as the store has it. */
export interface Parsed {
  readonly key: string;
  readonly time: number;
  readonly fields: Readonly<Record<string, number>>;
}

export function parse(line: string): Parsed {
  const [key = "", fields = "", time = ""] = line.split(" ");
  const entries = fields.split(",").map((field) => {
    const [name = "", value = ""] = field.split("=");
    return [name, value === "true" ? 1 : value === "false" ? 0 : Number.parseFloat(value)];
  });
  return { key, time: Number(time), fields: Object.fromEntries(entries) };
}

/** What a store holds: by series and time, the last arrival wins field by field; in order of time. */
export function stored(lines: readonly string[]): Parsed[] {
  const rows = new Map<string, Parsed>();
  for (const { key, time, fields } of lines.map(parse)) {
    const id = `${key} ${time}`;
    rows.set(id, { key, time, fields: { ...rows.get(id)?.fields, ...fields } });
  }
  return [...rows.values()].toSorted((one, other) => one.time - other.time);
}
