import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alertGroups } from "#dashboards/grafana/alerts.ts";
import { drawnBoards } from "#dashboards/grafana/files.ts";
import type { Board } from "#dashboards/grafana/lint.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import {
  type Asked,
  type Choices,
  type Pick,
  filledIn,
  resolveVariables,
} from "#dashboards/grafana/asking.ts";
import type { InfluxSeries } from "../../support/influxd.ts";
import { unlike } from "./answers.ts";
import { gateways, sensors } from "./city.ts";
import { type Stores, openStores } from "./stores.ts";

const hour = 3_600_000;
const there = await requireDebian("influxdb");
const note = there ? "" : ` (${whySkipped("influxdb")})`;
// The schema's test proves that they are boards.
const boards = drawnBoards().map(({ json }) => json as unknown as Board);

describe.skipIf(!there)(`what Grafana asks${note}`, () => {
  const now = Math.floor(Date.now() / 60_000) * 60_000;
  const ranges = { "6 h": { from: now - 6 * hour, to: now }, "7 d": { from: now - 7 * 24 * hour, to: now } };
  let stores: Stores;
  beforeAll(async () => {
    stores = await openStores(now);
  });
  afterAll(async () => await stores?.[Symbol.asyncDispose]());

  interface Verdict {
    readonly wrong: readonly string[];
    readonly rows: boolean;
  }
  /** By question: boards of both languages share most of them. */
  const verdicts = new Map<string, Promise<Verdict>>();

  function ask(asked: Asked): Promise<Verdict> {
    const known = verdicts.get(asked.influxql) ?? judge(asked);
    verdicts.set(asked.influxql, known);
    return known;
  }

  /** What is wrong with the answers to a question, and whether there were rows. */
  async function judge({ where, influxql }: Asked): Promise<Verdict> {
    const [first, ...others] = await Promise.all(stores.all.map(async (store) => await store.ask(influxql)));
    const wrong = others.flatMap((answer, i) => {
      const difference = unlike(first!, answer);
      return difference === undefined
        ? []
        : [`${where}: ${stores.all[i + 1]!.name}: ${difference}\n${influxql}`];
    });
    const empty = emptyColumns(first!);
    if (empty.length > 0) wrong.push(`${where}: nothing but null in ${empty.join(", ")}\n${influxql}`);
    return { wrong, rows: first!.length > 0 };
  }

  async function askAll(asked: readonly Asked[]): Promise<{ wrong: string[]; withRows: Set<string> }> {
    const wrong: string[] = [];
    const withRows = new Set<string>();
    for (const question of asked) {
      const answer = await ask(question);
      wrong.push(...answer.wrong);
      if (answer.rows) withRows.add(question.where);
    }
    return { wrong, withRows };
  }

  /** As all stores choose it. */
  async function choices(board: Board, range: { from: number; to: number }, pick?: Pick): Promise<Choices> {
    const chosen = await Promise.all(
      stores.all.map(async (store) => await resolveVariables(board, range, store.ask, pick)),
    );
    for (const other of chosen.slice(1)) expect(other).toEqual(chosen[0]);
    return chosen[0]!;
  }

  for (const [length, range] of Object.entries(ranges)) {
    test(`every panel and annotation has rows over ${length} of everything, no column of it is empty, and the stores agree`, async () => {
      for (const board of boards) {
        const asked = filledIn(board, range, await choices(board, range));
        const { wrong, withRows } = await askAll(asked);
        expect({
          wrong,
          empty: asked.map(({ where }) => where).filter((where) => !withRows.has(where)),
        }).toEqual({
          wrong: [],
          empty: [],
        });
      }
    });

    test(`over ${length} of one municipality, one district and one sensor, too, whichever sensor a panel is about`, async () => {
      for (const board of boards.filter(({ uid }) => uid.endsWith("-en"))) {
        const asked = new Set<string>();
        const rows = new Set<string>();
        // A panel about feeders says nothing of a customer's meter: some sensor of the place must make it speak.
        for (let nth = 0; ; nth++) {
          let more = false;
          const chosen = await choices(board, range, (variable, options) => {
            const own = here(variable, options);
            more ||= own.length > nth + 1;
            return own.slice(Math.min(nth, own.length - 1)).slice(0, 1);
          });
          const questions = filledIn(board, range, chosen);
          const { wrong, withRows } = await askAll(questions);
          expect(wrong).toEqual([]);
          for (const { where } of questions) asked.add(where);
          for (const where of withRows) rows.add(where);
          if (!more) break;
        }
        expect([...asked].filter((where) => !rows.has(where))).toEqual([]);
      }
    });
  }

  test("several values of a variable are asked for as one regular expression", async () => {
    const board = boards.find(({ uid }) => uid === "marsad-water-en")!;
    const range = ranges["7 d"];
    const both = await choices(board, range, (variable, options) =>
      variable === "municipality" ? ["QA-DA", "QA-RA"] : options,
    );
    const asked = filledIn(board, range, both);
    expect(asked.some(({ influxql }) => influxql.includes('"municipality" =~ /^(QA-DA|QA-RA)$/'))).toBe(true);
    const { wrong, withRows } = await askAll(asked);
    expect(wrong).toEqual([]);
    expect(withRows.size).toBe(asked.length);
  });

  test("the roll-up that a board asks for follows from the length of the shown time", async () => {
    const board = boards.find(({ uid }) => uid === "marsad-water-en")!;
    for (const [days, rollup, window] of [
      [0.25, "rollup_1m", "1m"],
      [7, "rollup_1h", "1h"],
      [300, "rollup_1d", "1d"],
    ] as const) {
      const chosen = await choices(board, { from: now - days * 24 * hour, to: now });
      expect(chosen.get("rollup")).toEqual({ values: [rollup] });
      expect(chosen.get("window")).toEqual({ values: [window] });
    }
  });

  test("alert rules fire for what is wrong, and for nothing else", async () => {
    const fired = new Map<string, unknown[]>();
    for (const { uid, influxql, above } of alertGroups.flatMap(({ rules }) => rules)) {
      const answers = await Promise.all(stores.all.map(async (store) => await store.ask(influxql)));
      for (const answer of answers.slice(1)) expect(unlike(answers[0]!, answer)).toBeUndefined();
      // Reduced to the last value of each series, and compared: as the rule's expressions do.
      const firing = answers[0]!.filter(({ values }) => Number(values.at(-1)![1]) > above);
      expect(answers[0]!.length).toBeGreaterThan(firing.length);
      fired.set(
        uid,
        firing.map(({ tags }) => tags?.["gateway"] ?? tags?.["sensor"] ?? tags?.["indicator"]),
      );
    }
    const [, silent] = gateways;
    expect(fired.get("marsad-gateway-silent")).toEqual([silent]);
    expect(fired.get("marsad-gateway-backlog")).toEqual([silent]);
    expect(fired.get("marsad-gateway-refusals")).toEqual([silent]);
    const offTrack = new Set(fired.get("marsad-goal-off-track"));
    expect(offTrack.has("congestion_share")).toBe(false);
    expect(offTrack.has("port_corridor_reliability")).toBe(true);
  });
});

/** The options that lie in the first place: its sensors, itself, or all where a variable is about no place. */
function here(variable: string, options: readonly string[]): readonly string[] {
  if (variable === "municipality") return options.filter((option) => option === "QA-DA");
  if (variable === "district") return options.filter((option) => option === "QA-DA-msheireb");
  const known = new Set(sensors.map(({ sensor }) => sensor));
  return options.some((option) => known.has(option)) && variable !== "gateway"
    ? options.filter((option) => option.endsWith("-da"))
    : options;
}

/** Columns in which no row of any series has a value. */
function emptyColumns(answer: readonly InfluxSeries[]): string[] {
  const filled = new Map<string, boolean>();
  for (const { columns, values } of answer)
    for (const [i, column] of columns.entries())
      filled.set(column, filled.get(column) === true || values.some((row) => row[i] !== null));
  return [...filled].filter(([, any]) => !any).map(([column]) => column);
}
