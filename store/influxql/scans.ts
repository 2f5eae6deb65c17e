import type { Cast, Expr } from "./ast.ts";
import type {
  Aggregate,
  Engine,
  RawRows,
  ScanGroup,
  ScanRequest,
  Schema,
  ValueType,
  Window,
} from "./engine.ts";
import { mapExpr, type Ref } from "./expressions.ts";
import { print } from "./print.ts";

type RawColumn = RawRows["columns"][number];

export interface ScanOf {
  readonly policy: string;
  readonly measurement: string;
  readonly from: number;
  readonly to: number;
  readonly condition: Expr | undefined;
  readonly groupBy: readonly string[];
}

/** What a statement reads: calls that read the same rows share a scan. All are known before the first runs. */
export class Scans {
  readonly #schema: Schema;
  readonly #scans = new Map<string, Scan>();

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  get all(): Scan[] {
    return [...this.#scans.values()];
  }

  windowed(of: ScanOf, window: Window | undefined): WindowedScan {
    const key = JSON.stringify(["windowed", ...keyParts(of), window]);
    return this.#shared(key, () => new WindowedScan(this.#base(of), window));
  }

  raw(of: ScanOf, order: "asc" | "desc"): RawScan {
    const key = JSON.stringify(["raw", ...keyParts(of), order]);
    return this.#shared(key, () => new RawScan(this.#base(of), order, undefined));
  }

  /** Not shared: its limit is its own. */
  limited(of: ScanOf, order: "asc" | "desc", limit: number): RawScan {
    return this.#shared(`limited ${this.#scans.size}`, () => new RawScan(this.#base(of), order, limit));
  }

  #shared<T extends Scan>(key: string, make: () => T): T {
    const known = this.#scans.get(key) as T | undefined;
    if (known !== undefined) return known;
    const made = make();
    this.#scans.set(key, made);
    return made;
  }

  #base({ policy, measurement, from, to, condition, groupBy }: ScanOf): Omit<ScanRequest, "rows"> {
    const base = { policy, measurement, from, to, groupBy };
    if (condition === undefined) return base;
    const fields = this.#schema.fields(policy, measurement);
    const tags = new Set(this.#schema.tagKeys(policy, measurement));
    const predicate = mapExpr(condition, (part) => {
      if (part.kind !== "ref") return part;
      const { name, cast, at } = part;
      const type = cast === "tag" ? undefined : fields.get(name);
      if (type !== undefined) return asCast({ kind: "ref", name, cast: "field", at }, type, cast);
      if (cast !== undefined && cast !== "tag") return { kind: "ref", name, cast: "field", at };
      return tags.has(name) ? { kind: "ref", name, cast: "tag", at } : { kind: "ref", name, at };
    });
    return { ...base, predicate };
  }
}

/** A number as one of the other kind; as anything else it is not there: no field has this name, as no name may be empty. */
function asCast(ref: Ref, type: ValueType, cast: Cast | undefined): Expr {
  if (cast === undefined || cast === "field" || cast === type) return ref;
  if (type === "float" && cast === "integer")
    return { kind: "call", name: "integer", args: [ref], at: ref.at };
  return type === "integer" && cast === "float"
    ? { kind: "call", name: "float", args: [ref], at: ref.at }
    : { ...ref, name: "" };
}

function keyParts({ policy, measurement, from, to, condition, groupBy }: ScanOf): unknown[] {
  return [policy, measurement, from, to, condition === undefined ? "" : print(condition), groupBy];
}

export abstract class Scan {
  #groups: Promise<ScanGroup[]> | undefined;
  abstract get request(): ScanRequest;

  /** Reads once, however often it is asked. */
  groups(engine: Engine): Promise<ScanGroup[]> {
    const { request } = this;
    this.#groups ??= request.from < request.to ? engine.scan(request) : Promise.resolve([]);
    return this.#groups;
  }
}

export class WindowedScan extends Scan {
  readonly #base: Omit<ScanRequest, "rows">;
  readonly #aggregates: Aggregate[] = [];
  readonly window: Window | undefined;
  #wantsTimes = false;

  constructor(base: Omit<ScanRequest, "rows">, window: Window | undefined) {
    super();
    this.#base = base;
    this.window = window;
  }

  /** @returns its place in the answer's columns */
  add(aggregate: Aggregate): number {
    const place = this.#aggregates.findIndex(
      (known) =>
        known.fn === aggregate.fn && known.field === aggregate.field && known.argument === aggregate.argument,
    );
    return place >= 0 ? place : this.#aggregates.push(aggregate) - 1;
  }

  /** Asks also when in their windows the points were that selectors take. */
  wantTimes(): void {
    this.#wantsTimes = true;
  }

  get request(): ScanRequest {
    const rows = { kind: "windowed" as const, window: this.window, aggregates: this.#aggregates };
    return { ...this.#base, rows: this.#wantsTimes ? { ...rows, wantsTimes: true } : rows };
  }
}

export class RawScan extends Scan {
  readonly #base: Omit<ScanRequest, "rows">;
  readonly #columns: RawColumn[] = [];
  readonly #order: "asc" | "desc";
  readonly #limit: number | undefined;

  constructor(base: Omit<ScanRequest, "rows">, order: "asc" | "desc", limit: number | undefined) {
    super();
    this.#base = base;
    this.#order = order;
    this.#limit = limit;
  }

  /** @returns its place in the answer's columns */
  add(column: RawColumn): number {
    const place = this.#columns.findIndex(({ kind, name }) => kind === column.kind && name === column.name);
    return place >= 0 ? place : this.#columns.push(column) - 1;
  }

  /** Only rows within these times, both included. */
  groupsBetween(engine: Engine, first: number, last: number): Promise<ScanGroup[]> {
    return first <= last ? engine.scan({ ...this.request, from: first, to: last + 1 }) : Promise.resolve([]);
  }

  get request(): ScanRequest {
    const limit = this.#limit === undefined ? {} : { limit: this.#limit };
    return { ...this.#base, rows: { kind: "raw", columns: this.#columns, order: this.#order, ...limit } };
  }
}
