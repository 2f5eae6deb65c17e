import type { Expr, Fill } from "./ast.ts";
import { evaluate } from "./evaluate.ts";
import { childrenOf } from "./expressions.ts";
import type { SelectPlan } from "./plan.ts";
import { print } from "./print.ts";
import type { Sequence } from "./sequences.ts";
import { concatenate, isNull, slice, type Vector } from "./vectors.ts";
import type { Work } from "./work.ts";

/** A statement's own columns, made of those of its calls and of what stands beside them. */
export class Outputs {
  readonly #exprs: readonly Expr[];
  readonly #fill: Fill;
  readonly #work: Work;
  /** Where among a sequence's columns each call and reference is. */
  readonly #places = new Map<Expr, number>();

  constructor({ ready, calls, beside, fill }: SelectPlan, work: Work) {
    this.#exprs = ready.outputs;
    this.#fill = fill;
    this.#work = work;
    const keys = [...calls.map(({ key }) => key), ...beside.map((ref) => print(ref))];
    const visit = (expr: Expr): void => {
      const place = expr.kind === "call" || expr.kind === "ref" ? keys.indexOf(print(expr)) : -1;
      if (place >= 0) this.#places.set(expr, place);
      else for (const child of childrenOf(expr)) visit(child);
    };
    for (const expr of this.#exprs) visit(expr);
  }

  async of({ time, columns }: Sequence): Promise<Vector[]> {
    const known = columns.map((column) => withoutGaps(column, this.#fill));
    const outputs: Vector[] = [];
    for (const expr of this.#exprs) {
      const plain = known[this.#places.get(expr) ?? -1];
      outputs.push(plain ?? (await this.#calculated(expr, known, time.length)));
    }
    return outputs;
  }

  /** In pieces, with other work between them. */
  async #calculated(expr: Expr, columns: readonly Vector[], length: number): Promise<Vector> {
    const pieces: Vector[] = [];
    await this.#work.inTurns(length, (from, to) => {
      const column = (part: Expr): Vector | undefined => {
        const known = columns[this.#places.get(part) ?? -1];
        return known && slice(known, from, to);
      };
      pieces.push(evaluate(expr, { length: to - from, column }));
    });
    const [first] = pieces;
    return first !== undefined && pieces.length === 1 ? first : concatenate(pieces, first?.type ?? "float");
  }
}

/** Nulls beside values: a number, or what was there before. */
function withoutGaps(vector: Vector, fill: Fill): Vector {
  if (fill.kind !== "number" && fill.kind !== "previous") return vector;
  if (vector.type === "string") {
    if (fill.kind === "number" || !vector.values.includes(null)) return vector;
    let previous: string | null = null;
    return { type: "string", values: vector.values.map((value) => (previous = value ?? previous)) };
  }
  const values = Float64Array.from(vector.values);
  for (let i = 0; i < values.length; i++) {
    if (!isNull(vector, i)) continue;
    if (fill.kind === "previous") values[i] = values[i - 1] ?? Number.NaN;
    else if (fill.kind === "number" && vector.type !== "boolean")
      values[i] = vector.type === "integer" ? Math.trunc(fill.value) : fill.value;
  }
  return { ...vector, values };
}
