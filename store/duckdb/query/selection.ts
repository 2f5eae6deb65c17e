import type { Expr } from "../../influxql/ast.ts";
import { compareLists, compareNames } from "../../influxql/name-order.ts";
import { type Life, type SeriesTags, type Tags, noTags } from "./series-tags.ts";
import { type Decided, decide, names, neededValues } from "../../influxql/tag-condition.ts";
import { Turns } from "../../influxql/turns.ts";

/** Series of a request, each for the time in which it belongs to it, and to which group. */
export interface Selection {
  /** Tag values of each group, in their byte order. */
  readonly groups: readonly (readonly string[])[];
  /** By group, then by tags. */
  readonly members: readonly Member[];
  /** What rows must meet besides, by `Member.condition`; true: nothing. */
  readonly conditions: readonly (Expr | true)[];
  /** Every series of the measurement is in it, for all of the time. */
  readonly isAll: boolean;
  /** The same for as long as it is the same; undefined: it is not asked for again. */
  readonly number?: number;
}

export interface Member {
  /** Its place among the members. */
  readonly number: number;
  readonly series: number;
  readonly group: number;
  readonly condition: number;
  /** ms since 1970, [from, to); infinite where it belongs for all of the request's time. */
  readonly from: number;
  to: number;
  /** In `SeriesTags`. */
  readonly set: number;
}

export interface SelectionRequest {
  readonly from: number;
  readonly to: number;
  readonly predicate: Expr | undefined;
  readonly groupBy: readonly string[];
  /** Keeps apart what differs in tags that are not grouped by. */
  readonly byTags: boolean;
}

export async function select(
  tags: SeriesTags,
  request: SelectionRequest,
  signal?: AbortSignal,
): Promise<Selection> {
  const selecting = new Selecting(tags, request);
  const places = selecting.candidates();
  const turns = new Turns(signal);
  for (let at = 0; at < (places?.length ?? tags.size); at++) {
    selecting.add(places === undefined ? tags.livesAt(at) : tags.lives(places[at]!));
    if (turns.isOver) await turns.giveWay();
  }
  return selecting.end();
}

class Selecting {
  readonly #tags: SeriesTags;
  readonly #request: SelectionRequest;
  /** By number of the set: what it decides, and its group's values with the own tag's left out. */
  readonly #decided = new Map<number, { readonly decided: Decided; readonly asksOwn: boolean }>();
  readonly #setGroups = new Map<number, number>();
  readonly #groups: string[][] = [];
  readonly #groupNumbers = new Map<string, number>();
  readonly #conditions: (Expr | true)[] = [];
  readonly #conditionNumbers = new Map<Expr | true, number>();
  readonly #conditionTexts = new Map<string, number>();
  readonly #ownAt: number;
  #members: Member[] = [];
  #isAll = true;

  constructor(tags: SeriesTags, request: SelectionRequest) {
    this.#tags = tags;
    this.#request = request;
    this.#ownAt = request.groupBy.indexOf(tags.own?.key ?? "");
    if (tags.own === undefined) this.#ownAt = -1;
  }

  /** The series that can be in it at all, where the condition names them. */
  candidates(): number[] | undefined {
    const { own } = this.#tags;
    const { predicate } = this.#request;
    if (own === undefined || predicate === undefined) return undefined;
    const values = neededValues(predicate, own.key);
    if (values === undefined) return undefined;
    this.#isAll = false;
    return [...new Set(own.find(values))].toSorted((a, b) => a - b);
  }

  add(lives: readonly Life[]): void {
    const { from, to, byTags } = this.#request;
    let last: Member | undefined;
    for (const life of lives) {
      if (life.to <= from || life.from >= to) continue;
      const condition = this.#conditionOf(life);
      if (condition === undefined) {
        this.#isAll = false;
        last = undefined;
        continue;
      }
      const member: Member = {
        number: 0,
        series: life.series,
        group: this.#groupOf(life),
        condition,
        from: life.from <= from ? Number.NEGATIVE_INFINITY : life.from,
        to: life.to >= to ? Number.POSITIVE_INFINITY : life.to,
        set: life.set,
      };
      if (last?.group === member.group && last.condition === condition && !byTags) last.to = member.to;
      else this.#members.push((last = member));
    }
  }

  end(): Selection {
    const order = Array.from(this.#groups.keys()).toSorted((a, b) =>
      compareLists(this.#groups[a]!, this.#groups[b]!),
    );
    const rank = new Uint32Array(order.length);
    for (const [at, group] of order.entries()) rank[group] = at;
    const members = this.#members.map((member) => ({ ...member, group: rank[member.group]! }));
    if (this.#request.byTags) this.#sortByTags(members);
    else members.sort((a, b) => a.group - b.group || a.series - b.series || a.from - b.from);
    return {
      groups: order.map((group) => this.#groups[group]!),
      members: members.map((member, number) => ({ ...member, number })),
      conditions: this.#conditions,
      isAll: this.#isAll,
    };
  }

  /** As their keys in the line protocol would be sorted: so influxd comes to rows of the same time. */
  #sortByTags(members: Member[]): void {
    const { own, sets } = this.#tags;
    const isBefore = (key: string): boolean => own === undefined || compareNames(key, own.key) < 0;
    const heads = new Map<number, string>();
    const tails = new Map<number, string>();
    for (const { set } of members) {
      if (heads.has(set)) continue;
      const keys = Object.keys(sets[set]!).toSorted(compareNames);
      const textOf = (some: readonly string[]): string =>
        some.map((key) => `,${key}=${sets[set]![key]!.replaceAll(/[,= ]/g, "\\$&")}`).join("");
      heads.set(set, `${textOf(keys.filter(isBefore))},${own?.key ?? ""}`);
      tails.set(set, textOf(keys.filter((key) => !isBefore(key))));
    }
    const ownOf = new Map(own === undefined ? [] : members.map(({ series }) => [series, own.of(series)]));
    members.sort(
      (a, b) =>
        a.group - b.group ||
        compareNames(heads.get(a.set)!, heads.get(b.set)!) ||
        compareNames(ownOf.get(a.series) ?? "", ownOf.get(b.series) ?? "") ||
        compareNames(tails.get(a.set)!, tails.get(b.set)!) ||
        a.series - b.series ||
        a.from - b.from,
    );
  }

  /** Undefined: it is not in it. */
  #conditionOf({ series, set }: Life): number | undefined {
    const { predicate } = this.#request;
    if (predicate === undefined) return this.#numberOf(true);
    let found = this.#decided.get(set);
    if (found === undefined) {
      const { own } = this.#tags;
      const decided = decide(predicate, this.#valueOf(this.#tags.sets[set]!, undefined));
      const asksOwn = own !== undefined && typeof decided !== "boolean" && names(decided, own.key);
      this.#decided.set(set, (found = { decided, asksOwn }));
    }
    const decided = found.asksOwn
      ? decide(found.decided as Expr, this.#valueOf(this.#tags.sets[set]!, series))
      : found.decided;
    return decided === false ? undefined : this.#numberOf(decided);
  }

  /** @param series  undefined: the own tag is not known yet */
  #valueOf(tags: Tags, series: number | undefined): (name: string) => string | undefined {
    const { own } = this.#tags;
    return (name) => {
      if (name !== own?.key) return tags[name] ?? "";
      return series === undefined ? undefined : own.of(series);
    };
  }

  #numberOf(condition: Expr | true): number {
    let number = this.#conditionNumbers.get(condition);
    if (number !== undefined) return number;
    // Sets may come to the same by different ways.
    const text = textOf(condition);
    number = this.#conditionTexts.get(text);
    if (number === undefined) {
      number = this.#conditions.push(condition) - 1;
      this.#conditionTexts.set(text, number);
    }
    this.#conditionNumbers.set(condition, number);
    return number;
  }

  #groupOf({ series, set }: Life): number {
    const known = this.#setGroups.get(set);
    if (known !== undefined) return known;
    const tags = this.#tags.sets[set]!;
    const values = this.#request.groupBy.map((key) => tags[key] ?? "");
    if (this.#ownAt !== -1) values[this.#ownAt] = this.#tags.own!.of(series);
    const text = values.join("\u0000");
    let group = this.#groupNumbers.get(text);
    if (group === undefined) this.#groupNumbers.set(text, (group = this.#groups.push(values) - 1));
    if (this.#ownAt === -1) this.#setGroups.set(set, group);
    return group;
  }
}

/** The same for equal conditions, wherever they stand. */
export function textOf(condition: Expr | true): string {
  return JSON.stringify(condition, (key, value: unknown) =>
    key === "at" ? undefined : typeof value === "bigint" ? `${value}i` : value,
  );
}

/** What a member's tags are. */
export function tagsOf(tags: SeriesTags, { series, set }: Pick<Member, "series" | "set">): Tags {
  const { own, sets } = tags;
  return own === undefined ? sets[set]! : Object.assign(noTags(), sets[set], { [own.key]: own.of(series) });
}
