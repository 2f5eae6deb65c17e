import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BatchBuffer } from "#edge-agent/batch-buffer.ts";
import { LineFramer } from "#edge-agent/line-framer.ts";
import { LineIntake } from "#edge-agent/line-intake.ts";

const arrival = 1_763_860_000_000;
const maxLineBytes = 64;

/** An intake and what its batches held, one string a batch. */
function openIntake(capacity = 1 << 16): {
  intake: LineIntake;
  batches: () => { text: string; count: number }[];
} {
  const batch = new BatchBuffer(capacity);
  const sealed: { text: string; count: number }[] = [];
  const seal = (): void => {
    const { count } = batch;
    sealed.push({ text: batch.take(Buffer.alloc(0)).toString("latin1"), count });
  };
  return {
    intake: new LineIntake({ batch, seal }, maxLineBytes),
    batches: () => {
      if (batch.count > 0) seal();
      return sealed;
    },
  };
}

function taken(text: string): string[] {
  const { intake, batches } = openIntake();
  const bytes = Buffer.from(text, "latin1");
  intake.take(bytes, 0, bytes.length, arrival);
  const [batch = { text: "", count: 0 }] = batches();
  const lines = batch.text.split("\n").slice(0, -1);
  expect(batch.count).toBe(lines.length);
  expect(intake.received).toBe(lines.length);
  return lines;
}

/** The same rules, written to be read. */
function oracle(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/^[ \t\r]+|[ \t\r]+$/g, ""))
    .filter((line) => line !== "" && !line.startsWith("#") && line.length <= maxLineBytes)
    .map((line) => (/ -?\d+$/.test(line) ? line : `${line} ${arrival}`));
}

const piece = fc.oneof(
  fc.constantFrom("\n", "\n", "\r\n", " ", "\t", "#", "-", "=", ",", "5", "1763860000000", '"', "é", "\0"),
  fc.constantFrom("traffic_flow,sensor=tf-1 vehicles=31", "m,sensor=a f=1 12", "m,sensor=a f=1 12\n"),
  fc.string({ maxLength: 80 }),
);
const anyText = fc
  .array(piece, { maxLength: 30 })
  .map((pieces) => Buffer.from(pieces.join(""), "utf8").toString("latin1"));

describe("the intake", () => {
  test("leaves a line with a time as it is", () => {
    expect(taken("m,sensor=a f=1,g=2.5 1763860000001\n")).toEqual(["m,sensor=a f=1,g=2.5 1763860000001"]);
  });

  test("gives a line without a time the time of its arrival", () => {
    expect(taken("m,sensor=a f=1\nm,sensor=a f=true\n")).toEqual([
      `m,sensor=a f=1 ${arrival}`,
      `m,sensor=a f=true ${arrival}`,
    ]);
  });

  test("knows a negative time, and digits that are a value, from a time", () => {
    expect(taken("m,sensor=a f=1 -5\nm,sensor=a f=-5\nm,sensor=a f=12\n")).toEqual([
      "m,sensor=a f=1 -5",
      `m,sensor=a f=-5 ${arrival}`,
      `m,sensor=a f=12 ${arrival}`,
    ]);
  });

  test("takes digits at the end of a quoted string for no time", () => {
    expect(taken('m,sensor=a s="at 12"\n')).toEqual([`m,sensor=a s="at 12" ${arrival}`]);
  });

  test("drops carriage returns, blank lines and comments, and counts none of them", () => {
    expect(taken("\r\n  \n# a comment\nm,sensor=a f=1 12\r\n # another\n\n")).toEqual(["m,sensor=a f=1 12"]);
  });

  test("takes a last line without its newline, as a datagram may end", () => {
    expect(taken("m,sensor=a f=1 12\nm,sensor=b f=1 13")).toEqual(["m,sensor=a f=1 12", "m,sensor=b f=1 13"]);
  });

  test("leaves out a line that is too long, counts it, and keeps its neighbours", () => {
    const { intake, batches } = openIntake();
    const bytes = Buffer.from(`m f=1 1\nm ${"f".repeat(maxLineBytes)}=1 2\nm f=3 3\n`);
    intake.take(bytes, 0, bytes.length, arrival);
    expect(batches()).toEqual([{ text: "m f=1 1\nm f=3 3\n", count: 2 }]);
    expect(intake.tooLong).toBe(1);
  });

  test("does as the plain rules say, whatever comes", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(taken(text)).toEqual(oracle(text));
      }),
    );
  });

  test("seals full batches between lines, in order, and loses none", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 2 * maxLineBytes, max: 300 }), (text, capacity) => {
        const { intake, batches } = openIntake(capacity);
        const bytes = Buffer.from(text, "latin1");
        intake.take(bytes, 0, bytes.length, arrival);
        const all = batches();
        expect(all.map((batch) => batch.text).join("")).toBe(
          oracle(text)
            .map((line) => `${line}\n`)
            .join(""),
        );
        for (const { text: body, count } of all) {
          expect(body.length).toBeLessThanOrEqual(capacity);
          expect(body.split("\n").length - 1).toBe(count);
          expect(count).toBeGreaterThan(0);
        }
      }),
    );
  });
});

describe("the framer", () => {
  test("finds the same lines however the stream is cut", () => {
    fc.assert(
      fc.property(anyText, fc.array(fc.integer({ min: 1, max: 100 })), (text, cuts) => {
        const { intake, batches } = openIntake(1 << 20);
        const framer = new LineFramer(intake, maxLineBytes);
        const bytes = Buffer.from(text, "latin1");
        let from = 0;
        for (const cut of [...cuts, bytes.length]) {
          framer.push(bytes.subarray(from, from + cut), arrival);
          from = Math.min(bytes.length, from + cut);
        }
        framer.end();
        const complete = text.slice(0, text.lastIndexOf("\n") + 1);
        // A line is measured before its blanks are cut when it comes in pieces: only such lines may be missing.
        const got = batches()
          .map((batch) => batch.text)
          .join("");
        const wanted = oracle(complete)
          .map((line) => `${line}\n`)
          .join("");
        const fits = complete.split("\n").every((line) => line.length <= maxLineBytes);
        expect(fits ? got : wanted).toBe(wanted);
        expect(got.length).toBeLessThanOrEqual(wanted.length);
      }),
    );
  });

  test("does not take a line that the sender's end cut short, and counts it", () => {
    const { intake, batches } = openIntake();
    const framer = new LineFramer(intake, maxLineBytes);
    framer.push(Buffer.from("m f=1 1\nm f=2 17638600"), arrival);
    framer.end();
    framer.end();
    expect(batches()).toEqual([{ text: "m f=1 1\n", count: 1 }]);
    expect(framer.rejected).toBe(1);
  });

  test("drops a line that grows too long in pieces, once, and goes on with the next", () => {
    const { intake, batches } = openIntake();
    const framer = new LineFramer(intake, maxLineBytes);
    for (let i = 0; i < 20; i += 1) framer.push(Buffer.from("xxxxxxxxxx"), arrival);
    framer.push(Buffer.from("xx 5\nm f=2 2\n"), arrival);
    framer.end();
    expect(batches()).toEqual([{ text: "m f=2 2\n", count: 1 }]);
    expect(framer.rejected + intake.tooLong).toBe(1);
  });
});
