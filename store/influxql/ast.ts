/** InfluxQL as a tree, as the language's own specification names its parts (InfluxQL 1.x). Names are as written, without quotes. */

export type Statement = SelectStatement | ShowStatement | ExplainStatement;

/** Where something stands in the text: a character offset from 0. Messages say line and character, both from 1. */
export type Offset = number;

export interface SelectStatement {
  readonly kind: "select";
  readonly fields: readonly SelectField[];
  /** At least one. */
  readonly sources: readonly Source[];
  readonly condition?: Expr;
  readonly dimensions: readonly Dimension[];
  readonly fill: Fill;
  readonly order: "asc" | "desc";
  /** 0: none. Series limits count output series, the others points of each. */
  readonly limit: number;
  readonly offset: number;
  readonly slimit: number;
  readonly soffset: number;
  /** An IANA name: days and the like begin when they do there. */
  readonly zone?: string;
}

export interface SelectField {
  readonly expr: Expr;
  readonly alias?: string;
}

export type Source = MeasurementSource | SubquerySource;

export interface MeasurementSource {
  readonly kind: "measurement";
  readonly at: Offset;
  readonly database?: string;
  readonly policy?: string;
  readonly name: NameOrRegex;
}

export interface SubquerySource {
  readonly kind: "subquery";
  readonly at: Offset;
  readonly statement: SelectStatement;
}

export type NameOrRegex = { readonly name: string } | { readonly regex: string };

export type Dimension =
  | { readonly kind: "time"; readonly every_ns: bigint; readonly offset?: Expr; readonly at: Offset }
  | { readonly kind: "tag"; readonly name: string; readonly at: Offset }
  | { readonly kind: "regex"; readonly regex: string; readonly at: Offset }
  | { readonly kind: "wildcard"; readonly at: Offset };

export type Fill =
  /** Not written: `null` where there are windows. */
  | { readonly kind: "default" }
  | { readonly kind: "null" | "none" | "previous" | "linear" }
  | { readonly kind: "number"; readonly value: number };

export type Expr =
  | {
      readonly kind: "binary";
      readonly op: BinaryOp;
      readonly left: Expr;
      readonly right: Expr;
      readonly at: Offset;
    }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expr[]; readonly at: Offset }
  | { readonly kind: "distinct"; readonly field: string; readonly at: Offset }
  | { readonly kind: "paren"; readonly expr: Expr; readonly at: Offset }
  | { readonly kind: "ref"; readonly name: string; readonly cast?: Cast; readonly at: Offset }
  | { readonly kind: "wildcard"; readonly of?: "field" | "tag"; readonly at: Offset }
  | { readonly kind: "regex"; readonly regex: string; readonly at: Offset }
  | { readonly kind: "integer"; readonly value: bigint; readonly at: Offset }
  | { readonly kind: "number"; readonly value: number; readonly at: Offset }
  | { readonly kind: "string"; readonly value: string; readonly at: Offset }
  | { readonly kind: "boolean"; readonly value: boolean; readonly at: Offset }
  | { readonly kind: "duration"; readonly ns: bigint; readonly at: Offset };

/** `field::float`; "field" and "tag" say what a name is where both are there. */
export type Cast = "float" | "integer" | "unsigned" | "string" | "boolean" | "field" | "tag";

export type BinaryOp =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "&"
  | "|"
  | "^"
  | "="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "=~"
  | "!~"
  | "AND"
  | "OR";

export interface ExplainStatement {
  readonly kind: "explain";
  readonly analyze: boolean;
  readonly statement: SelectStatement;
}

export interface ShowStatement {
  readonly kind: "show";
  readonly what:
    | "databases"
    | "retention policies"
    | "measurements"
    | "tag keys"
    | "tag values"
    | "field keys"
    | "series";
  /** `ON`. */
  readonly database?: string;
  readonly sources: readonly MeasurementSource[];
  /** Of measurements: `WITH MEASUREMENT = x` or `=~ /x/`. */
  readonly measurement?: { readonly op: "=" | "=~" | "!=" | "!~"; readonly name: NameOrRegex };
  /** Of tag values: `WITH KEY`. */
  readonly keys?:
    | { readonly op: "=" | "!="; readonly name: string }
    | { readonly op: "=~" | "!~"; readonly regex: string }
    | { readonly op: "IN"; readonly names: readonly string[] };
  /** `CARDINALITY`, exact or not: the number alone. */
  readonly cardinality?: boolean;
  readonly exact?: boolean;
  readonly condition?: Expr;
  /** 0: none. */
  readonly limit: number;
  readonly offset: number;
}
