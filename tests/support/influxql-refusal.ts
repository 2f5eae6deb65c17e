/** Why a text is no statement that only reads, or undefined. */
export function refusal(influxql: string): string | undefined {
  if (!/^(?:SELECT|SHOW)\s/.test(influxql)) return "neither SELECT nor SHOW";
  return /\sINTO\s/.test(influxql) ? "INTO writes" : undefined;
}
