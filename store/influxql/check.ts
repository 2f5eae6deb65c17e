import type { Expr, SelectField, SelectStatement } from "./ast.ts";
import { InfluxqlError } from "./errors.ts";
import { type Call, childrenOf, isLiteral } from "./expressions.ts";
import { mathFunctions } from "./functions/math.ts";
import { print } from "./print.ts";
import { printDuration } from "./durations.ts";

const selectors = new Set(["min", "max", "first", "last"]);
const aggregates = new Set(["count", "sum", "mean", "median", "mode", "stddev", "spread"]);
const differences = new Set(["difference", "non_negative_difference", "cumulative_sum"]);
const rates = new Set(["derivative", "non_negative_derivative", "elapsed"]);

export interface Windowing {
  readonly has: boolean;
  /** By the statement around it. */
  readonly isInherited: boolean;
}

/** Whether a statement's functions go together and have what they need, in InfluxDB's words (query/compile.go). */
export function checkFields(statement: SelectStatement, windowing: Windowing): void {
  const fields = statement.fields.filter(({ expr }) => !(expr.kind === "ref" && expr.name === "time"));
  const check = new FieldCheck(statement, windowing);
  for (const field of fields) check.field(field);
  if (fields.length === 0) throw wrong("at least 1 non-time field must be queried");
  check.together();
}

class FieldCheck {
  readonly #statement: SelectStatement;
  readonly #windowing: Windowing;
  #calls = 0;
  #topOrBottom: string | undefined;
  #hasDistinct = false;
  #hasPlain = false;
  #onlySelectors = true;
  #mayExpand = true;

  constructor(statement: SelectStatement, windowing: Windowing) {
    this.#statement = statement;
    this.#windowing = windowing;
  }

  field({ expr }: SelectField): void {
    this.#mayExpand = true;
    this.#expr(expr);
  }

  together(): void {
    const { fill } = this.#statement;
    if (this.#topOrBottom !== undefined && this.#calls > 1) throw combined(this.#topOrBottom);
    if (this.#calls === 0) {
      if (fill.kind === "none" || fill.kind === "linear")
        throw wrong(`fill(${fill.kind}) must be used with a function`);
      if (this.#windowing.has && !this.#windowing.isInherited)
        throw wrong("GROUP BY requires at least one aggregate function");
    }
    if (this.#hasDistinct && (this.#calls !== 1 || this.#hasPlain))
      throw wrong("aggregate function distinct() cannot be combined with other functions or fields");
    if (this.#hasPlain && !this.#onlySelectors)
      throw wrong("mixing aggregate and non-aggregate queries is not supported");
    if (this.#hasPlain && this.#calls > 1)
      throw wrong("mixing multiple selector functions with tags or fields is not supported");
  }

  #expr(expr: Expr): void {
    switch (expr.kind) {
      case "ref":
        this.#hasPlain = true;
        return;
      case "wildcard":
      case "regex":
        this.#hasPlain = true;
        if (!this.#mayExpand) throw wrong(`unable to use ${expr.kind} in a binary expression`);
        return;
      case "call":
        this.#call(expr);
        return;
      case "binary":
        this.#mayExpand = false;
        if (isLiteral(expr.left) && isLiteral(expr.right))
          throw wrong("cannot perform a binary expression on two literals");
        if (!isLiteral(expr.left)) this.#expr(expr.left);
        if (!isLiteral(expr.right)) this.#expr(expr.right);
        return;
      case "paren":
        this.#expr(expr.expr);
        return;
      case "distinct":
      case "boolean":
      case "duration":
      case "integer":
      case "number":
      case "string":
        throw wrong("field must contain at least one variable");
      default:
        expr satisfies never;
    }
  }

  #call(call: Call): void {
    const { name, args } = call;
    const math = mathFunctions.get(name);
    if (math !== undefined) {
      expectArguments(call, math.arguments);
      for (const argument of args) if (!isLiteral(argument)) this.#expr(argument);
      return;
    }
    this.#calls++;
    if (!selectors.has(name) && name !== "top" && name !== "bottom" && name !== "percentile")
      this.#onlySelectors = false;
    if (selectors.has(name) || aggregates.has(name)) {
      expectArguments(call, 1);
      const [argument] = args;
      if (name === "count" && argument?.kind === "call" && argument.name === "distinct")
        checkDistinct(argument);
      else this.#symbol(name, argument);
    } else if (name === "distinct") {
      checkDistinct(call);
      this.#hasDistinct = true;
    } else if (name === "percentile") {
      expectArguments(call, 2);
      if (args[1]?.kind !== "integer" && args[1]?.kind !== "number")
        throw wrong("expected float argument in percentile()");
      this.#symbol(name, args[0]);
    } else if (name === "top" || name === "bottom") {
      this.#topBottom(call);
    } else if (name === "integral") {
      checkUnit(call, "second argument must be a duration");
      this.#symbol(name, args[0]);
    } else if (name === "moving_average") {
      checkMovingAverage(call);
      this.#sequence(name, args[0]);
    } else if (rates.has(name)) {
      checkUnit(call, `second argument to ${name} must be a duration`);
      this.#sequence(name, args[0]);
    } else if (differences.has(name)) {
      expectArguments(call, 1);
      this.#sequence(name, args[0]);
    } else {
      throw notOffered(name) ?? wrong(`undefined function ${name}()`);
    }
  }

  /** The argument of a function over a sequence: a field, or where there are windows an aggregate. */
  #sequence(name: string, argument: Expr | undefined): void {
    if (argument?.kind === "call") {
      if (!this.#windowing.has) throw wrong(`${name} aggregate requires a GROUP BY interval`);
      if (argument.name === "distinct") checkDistinct(argument);
      else this.#expr(argument);
      return;
    }
    if (this.#windowing.has && !this.#windowing.isInherited)
      throw wrong(`aggregate function required inside the call to ${name}`);
    this.#symbol(name, argument);
  }

  #symbol(name: string, argument: Expr | undefined): void {
    if (argument?.kind === "ref") return;
    if (argument?.kind !== "wildcard" && argument?.kind !== "regex")
      throw wrong(`expected field argument in ${name}()`);
    if (!this.#mayExpand)
      throw wrong(
        `unsupported expression with ${argument.kind === "regex" ? "regex field" : "wildcard"}: ${name}()`,
      );
    this.#onlySelectors = false;
  }

  #topBottom({ name, args }: Call): void {
    const { limit } = this.#statement;
    if (this.#topOrBottom !== undefined) throw combined(this.#topOrBottom);
    if (args.length < 2)
      throw wrong(`invalid number of arguments for ${name}, expected at least 2, got ${args.length}`);
    const count = args.at(-1);
    if (count?.kind !== "integer") throw wrong(`expected integer as last argument in ${name}()`);
    if (count.value <= 0n) throw wrong(`limit (${count.value}) in ${name} function must be at least 1`);
    if (limit > 0 && count.value > BigInt(limit))
      throw wrong(
        `limit (${count.value}) in ${name} function can not be larger than the LIMIT (${limit}) in the select statement`,
      );
    if (args[0]?.kind !== "ref") throw wrong(`expected first argument to be a field in ${name}()`);
    for (const argument of args.slice(1, -1)) {
      if (argument.kind !== "ref") throw wrong(`only fields or tags are allowed in ${name}()`);
      this.#hasPlain = true;
    }
    this.#topOrBottom = name;
  }
}

/** Conditions have no functions but those of single values. */
export function checkCondition(expr: Expr): void {
  if (expr.kind === "call") {
    const math = mathFunctions.get(expr.name);
    if (math === undefined) throw wrong(`invalid function call in condition: ${print(expr)}`);
    expectArguments(expr, math.arguments);
  }
  for (const part of childrenOf(expr)) checkCondition(part);
}

function checkDistinct({ args }: Call): void {
  if (args.length === 0) throw wrong("distinct function requires at least one argument");
  if (args.length > 1) throw wrong("distinct function can only have one argument");
  if (args[0]?.kind !== "ref") throw wrong("expected field argument in distinct()");
}

function checkUnit({ name, args }: Call, message: string): void {
  if (args.length < 1 || args.length > 2)
    throw wrong(
      `invalid number of arguments for ${name}, expected at least 1 but no more than 2, got ${args.length}`,
    );
  const unit = args[1];
  if (unit === undefined) return;
  if (unit.kind !== "duration") throw wrong(message);
  if (unit.ns <= 0n) throw wrong(`duration argument must be positive, got ${printDuration(unit.ns)}`);
}

function checkMovingAverage({ args }: Call): void {
  if (args.length !== 2)
    throw wrong(`invalid number of arguments for moving_average, expected 2, got ${args.length}`);
  const count = args[1];
  if (count?.kind !== "integer") throw wrong("second argument for moving_average must be an integer");
  if (count.value <= 1n) throw wrong(`moving_average window must be greater than 1, got ${count.value}`);
}

function expectArguments({ name, args }: Call, expected: number): void {
  if (args.length !== expected)
    throw wrong(`invalid number of arguments for ${name}, expected ${expected}, got ${args.length}`);
}

function notOffered(name: string): InfluxqlError | undefined {
  if (name === "sample")
    return wrong(
      "sample() is not offered: its answer differs each time; first(), last() or a mean of windows do",
    );
  if (name === "holt_winters" || name === "holt_winters_with_fit")
    return wrong(`${name}() is not offered; marsad forecast gives forecasts with intervals`);
  return undefined;
}

function combined(name: string): InfluxqlError {
  return wrong(`selector function ${name}() cannot be combined with other functions`);
}

function wrong(message: string): InfluxqlError {
  return new InfluxqlError("semantic", message);
}
