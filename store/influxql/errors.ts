/**
 * What a query gets wrong, or what it may not: for whoever wrote it. A syntax error answers the whole request, any other its statement alone,
 * as InfluxDB does.
 */
export class InfluxqlError extends Error {
  readonly kind: "syntax" | "semantic" | "limit";

  constructor(kind: InfluxqlError["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "InfluxqlError";
    this.kind = kind;
  }
}
