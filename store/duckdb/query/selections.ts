import { type Selection, type SelectionRequest, select, textOf } from "./selection.ts";
import type { SeriesTags } from "./series-tags.ts";

/** Of a measurement; and members in them altogether. */
const mostKept = 64;
const mostMembers = 200_000;

/** The latest selections from each measurement's series: who looks at a dashboard asks the same again and again, of a later time. */
const known = new WeakMap<SeriesTags, Selections>();
let last = 0;

/** A selection that may have been made before; then with the same number. */
export async function selectionOf(
  tags: SeriesTags,
  request: SelectionRequest,
  signal: AbortSignal,
): Promise<Selection> {
  let selections = known.get(tags);
  if (selections?.version !== tags.version)
    known.set(tags, (selections = new Selections(tags, tags.version)));
  return await selections.of(request, signal);
}

class Selections {
  readonly version: number;
  readonly #tags: SeriesTags;
  /** The latest used last. */
  readonly #byRequest = new Map<string, Selection>();
  #members = 0;

  constructor(tags: SeriesTags, version: number) {
    this.#tags = tags;
    this.version = version;
  }

  async of(request: SelectionRequest, signal: AbortSignal): Promise<Selection> {
    const key = this.#keyOf(request);
    const kept = this.#byRequest.get(key);
    if (kept !== undefined) {
      this.#byRequest.delete(key);
      this.#byRequest.set(key, kept);
      return kept;
    }
    const made = await select(this.#tags, request, signal);
    const isCurrent = this.#tags.version === this.version;
    if (!isCurrent || made.members.length > mostMembers || this.#byRequest.has(key)) return made;
    const selection = { ...made, number: ++last };
    this.#byRequest.set(key, selection);
    this.#members += selection.members.length;
    for (const [oldest, { members }] of this.#byRequest) {
      if (this.#byRequest.size <= mostKept && this.#members <= mostMembers) break;
      this.#byRequest.delete(oldest);
      this.#members -= members.length;
    }
    return selection;
  }

  /** Of its times a selection depends on this alone: which changes of tags they are before or after. */
  #keyOf({ from, to, predicate, groupBy, byTags }: SelectionRequest): string {
    const { changes } = this.#tags;
    const reached = changes.findLastIndex((change) => change <= from);
    const ahead = changes.findLastIndex((change) => change < to);
    return JSON.stringify([
      reached,
      ahead,
      byTags,
      groupBy,
      predicate === undefined ? "" : textOf(predicate),
    ]);
  }
}
