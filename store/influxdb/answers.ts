/** What a server said to a write that it did not take whole. */
export interface Refusal {
  /** Of the lines, cleaned: what a dead letter says. */
  readonly words: string;
  /** How many lines it dropped, as far as it says. */
  readonly dropped: number | undefined;
  /** Lines it names, word for word, with what is wrong with each. */
  readonly unparsable: ReadonlyMap<string, string>;
  /** Lines it names by their number in the request, from 0, with what is wrong with each. */
  readonly numbered: ReadonlyMap<number, string>;
  /** The field whose type it does not take. */
  readonly conflict: { readonly measurement: string; readonly field: string } | undefined;
  /** Lines are older than it keeps any. */
  readonly tooOld: boolean;
}

/** Statuses that speak of the lines: 201 is a partial write of InfluxDB 3, 422 one of InfluxDB 2. */
const aboutLines: ReadonlySet<number> = new Set([201, 400, 413, 422]);

/** What passes by itself, also when it is said of lines. */
const passing = /pending deletion|engine is closed|time-?out|hinted handoff/i;
const surelyAboutLines =
  /partial write|unable to parse|field type conflict|dropped=\d|line protocol|beyond retention/i;
/** Words of a 400 that speak of the request: nothing must become a dead letter for a wrong configuration. */
const aboutRequest =
  /database|retention policy|bucket|organization|\borg\b|precision|authoriz|permission|read[- ]only/i;

/**
 * Does the answer refuse lines? Then which and why, as far as the server says; undefined when the same lines may be taken later.
 * 1.x: `{"error":"partial write: field type conflict: … dropped=1"}`; 2.x: `{"code":…,"message":…}`; 3.x: `{"error":…,"data":[…]}`.
 */
export function refusalOf(status: number, body: string): Refusal | undefined {
  if (!aboutLines.has(status)) return undefined;
  const { said, data, isJson } = read(body);
  const unquoted = said.replaceAll(/'[^\n]*'|"(?:[^"\\]|\\.)*"/g, "");
  if (passing.test(unquoted)) return undefined;
  const isAboutRequest = !isJson || (!surelyAboutLines.test(said) && aboutRequest.test(unquoted));
  if ((status === 400 || status === 422) && isAboutRequest) return undefined;
  const dropped = /\bdropped=(\d+)/.exec(said)?.[1];
  const conflict = /input field "((?:[^"\\]|\\.)+)" on measurement "((?:[^"\\]|\\.)+)" is type/.exec(said);
  const unparsable = new Map<string, string>();
  for (const part of said.split("\n")) {
    const found = /unable to parse '(.*)': (.*?)(?: dropped=\d+)?$/.exec(part);
    if (found) unparsable.set(found[1]!, `unable to parse: ${found[2]!}`);
  }
  return {
    words: clean(said) || `refused with status ${status}`,
    dropped: dropped === undefined ? undefined : Number(dropped),
    unparsable,
    numbered: data,
    conflict: conflict ? { field: conflict[1]!, measurement: conflict[2]! } : undefined,
    tooOld: /beyond retention policy|outside retention policy/i.test(said),
  };
}

/** What a server said, without the shell: for people. */
export function wordsOf(body: string): string {
  return clean(read(body).said);
}

function clean(said: string): string {
  return said
    .replace(/^(?:failure writing points to database: )?(?:partial write: )?/, "")
    .replaceAll(/unable to parse '.*': /g, "unable to parse: ")
    .replace(/ dropped=\d+$/, "")
    .trim()
    .slice(0, 400);
}

function read(body: string): { said: string; data: Map<number, string>; isJson: boolean } {
  const data = new Map<number, string>();
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { said: body.trim(), data, isJson: false };
  }
  if (typeof json !== "object" || json === null) return { said: body.trim(), data, isJson: false };
  const { error, message, data: list } = json as Record<string, unknown>;
  for (const entry of Array.isArray(list) ? (list as unknown[]) : []) {
    const { line_number: number, error_message: why } = (entry ?? {}) as Record<string, unknown>;
    if (Number.isInteger(number) && (number as number) > 0)
      data.set((number as number) - 1, typeof why === "string" ? why : "refused");
  }
  const told = [message, error].find((text): text is string => typeof text === "string" && text !== "");
  const [first] = data.values();
  const said = [told, first].filter((text) => text !== undefined && text !== "").join(": ");
  return { said, data, isJson: true };
}
