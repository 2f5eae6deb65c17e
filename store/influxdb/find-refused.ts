import type { Refusal } from "./answers.ts";

/** The lines of a request, as far as finding the bad ones among them needs to know them. */
export interface SearchedLines {
  line(line: number): string;
  time(line: number): number;
  series(line: number): number;
  has(line: number, measurement: string, field: string): boolean;
}

/** Sends these lines, which rise; undefined when all of them were taken. @throws MarsadError STORE_UNAVAILABLE */
export type SendLines = (lines: readonly number[]) => Promise<Refusal | undefined>;

/** Splits by the server's words before halving, from one group; each may say nothing new. */
const hintsPerGroup = 12;
/** A group so small is sent line by line: halving it would cost nearly twice the requests. */
const singly = 4;

/**
 * Which of `lines`, refused as a whole, the server refuses by themselves, and why. Nothing counts as taken or refused but by an answer to it alone:
 * 1.x keeps the good lines of a bad batch and says so for one shard only, 3.x keeps none. What the server says is a guess where to cut, so
 * that a wrong one costs requests and nothing else. Two requests a line at most; few for what servers refuse in practice.
 */
export async function findRefused(
  lines: readonly number[],
  refusal: Refusal,
  { source, send }: { readonly source: SearchedLines; readonly send: SendLines },
): Promise<Map<number, string>> {
  const refused = new Map<number, string>();
  const groups = [{ lines, refusal, hints: hintsPerGroup }];
  for (;;) {
    const group = groups.pop();
    if (group === undefined) return refused;
    const whole = refusedWhole(group.lines, group.refusal, source);
    if (whole !== undefined) {
      for (const [line, why] of whole) refused.set(line, why);
      continue;
    }
    const hinted = group.hints > 0 ? splitByWords(group.lines, group.refusal, source) : undefined;
    const hints = hinted === undefined ? 0 : group.hints - 1;
    for (const part of hinted ?? split(group.lines, group.refusal, source)) {
      const answer = await send(part);
      if (answer !== undefined) groups.push({ lines: part, refusal: answer, hints });
    }
  }
}

/** All lines of a group with what is wrong with each, when that is known already. */
function refusedWhole(
  lines: readonly number[],
  refusal: Refusal,
  source: SearchedLines,
): [line: number, why: string][] | undefined {
  if (lines.length === 1) return [[lines[0]!, namedWhy(lines[0]!, 0, refusal, source) ?? refusal.words]];
  if (refusal.dropped !== undefined && refusal.dropped >= lines.length)
    return lines.map((line) => [line, refusal.words]);
  const named = lines.map((line, i) => [line, namedWhy(line, i, refusal, source)] as const);
  return named.every(([, why]) => why !== undefined) ? (named as [number, string][]) : undefined;
}

function namedWhy(line: number, at: number, refusal: Refusal, source: SearchedLines): string | undefined {
  const numbered = refusal.numbered.get(at);
  if (numbered !== undefined || refusal.unparsable.size === 0) return numbered;
  return refusal.unparsable.get(source.line(line));
}

/** Those that the server seems to mean, and the others; undefined when its words divide nothing. */
function splitByWords(
  lines: readonly number[],
  refusal: Refusal,
  source: SearchedLines,
): [number[], number[]] | undefined {
  const { conflict, dropped, tooOld } = refusal;
  let isMeant: ((line: number, at: number) => boolean) | undefined;
  if (refusal.numbered.size > 0 || refusal.unparsable.size > 0)
    isMeant = (line, at) => namedWhy(line, at, refusal, source) !== undefined;
  else if (conflict) isMeant = (line) => source.has(line, conflict.measurement, conflict.field);
  else if (tooOld && dropped !== undefined) {
    const oldest = new Set(lines.toSorted((a, b) => source.time(a) - source.time(b)).slice(0, dropped));
    isMeant = (line) => oldest.has(line);
  }
  if (isMeant === undefined) return undefined;
  const meant: number[] = [];
  const others: number[] = [];
  for (const [at, line] of lines.entries()) (isMeant(line, at) ? meant : others).push(line);
  return meant.length > 0 && others.length > 0 ? [meant, others] : undefined;
}

/** In halves. Types and ages are wrong shard by shard, which are times (and 1.x speaks of one shard alone); else it is often a series. */
function split(lines: readonly number[], { conflict, tooOld }: Refusal, source: SearchedLines): number[][] {
  if (lines.length <= singly) return lines.map((line) => [line]);
  const byTime = (a: number, b: number): number => source.time(a) - source.time(b);
  const bySeries = (a: number, b: number): number => source.series(a) - source.series(b);
  const ordered =
    conflict !== undefined || tooOld
      ? lines.toSorted((a, b) => byTime(a, b) || bySeries(a, b) || a - b)
      : lines.toSorted((a, b) => bySeries(a, b) || byTime(a, b) || a - b);
  const middle = ordered.length >> 1;
  return [rising(ordered.slice(0, middle)), rising(ordered.slice(middle))];
}

function rising(lines: readonly number[]): number[] {
  return lines.toSorted((a, b) => a - b);
}
