import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { refusalOf, wordsOf } from "#store/influxdb/answers.ts";

const said = (error: string): string => JSON.stringify({ error });

describe("what influxd 1.6 says of lines", () => {
  test("a type conflict names measurement and field", () => {
    const body = said(
      'partial write: field type conflict: input field "x y" on measurement "a" is type integer, already exists as type float dropped=2',
    );
    expect(refusalOf(400, body)).toMatchObject({
      words:
        'field type conflict: input field "x y" on measurement "a" is type integer, already exists as type float',
      dropped: 2,
      conflict: { measurement: "a", field: "x y" },
      tooOld: false,
    });
  });

  test("lines that it cannot read are named word for word, one below another", () => {
    const body = said(
      "partial write: unable to parse 'a,s=1 x= 17': missing field value\nunable to parse 'a,s=it's y 1': invalid field format dropped=0",
    );
    const refusal = refusalOf(400, body)!;
    expect(refusal.unparsable).toEqual(
      new Map([
        ["a,s=1 x= 17", "unable to parse: missing field value"],
        ["a,s=it's y 1", "unable to parse: invalid field format"],
      ]),
    );
    expect(refusal.words).toBe("unable to parse: missing field value\nunable to parse: invalid field format");
  });

  test("lines older than it keeps any, and tag values beyond its limit, are counted", () => {
    expect(refusalOf(400, said("partial write: points beyond retention policy dropped=2"))).toMatchObject({
      words: "points beyond retention policy",
      dropped: 2,
      tooOld: true,
    });
    const limit = 'max-values-per-tag limit exceeded (7/5): measurement="a" tag="bucket" value="8"';
    expect(refusalOf(400, said(`partial write: ${limit} dropped=2`))).toMatchObject({
      words: limit,
      dropped: 2,
    });
  });
});

describe("what later generations say of lines", () => {
  test("2.x answers 422 with a message", () => {
    const message =
      'failure writing points to database: partial write: field type conflict: input field "v" on measurement "m" is type float, already exists as type integer dropped=1';
    expect(refusalOf(422, JSON.stringify({ code: "unprocessable entity", message }))).toMatchObject({
      words:
        'field type conflict: input field "v" on measurement "m" is type float, already exists as type integer',
      conflict: { measurement: "m", field: "v" },
      dropped: 1,
    });
  });

  test("3.x numbers the lines from 1, and answers a partial write with 400 or 201", () => {
    const body = JSON.stringify({
      error: "partial write of line protocol occurred",
      data: [{ original_line: "m x=1", line_number: 2, error_message: "invalid column type for column 'x'" }],
    });
    for (const status of [201, 400]) {
      expect(refusalOf(status, body)).toMatchObject({
        numbered: new Map([[1, "invalid column type for column 'x'"]]),
        words: expect.stringContaining("invalid column type"),
      });
    }
  });
});

describe("what does not speak of lines is no refusal", () => {
  test.each([
    [400, said("database is required")],
    [400, said("invalid precision")],
    [400, JSON.stringify({ code: "invalid", message: "bucket name is missing" })],
    [400, "<html>400 Bad Request</html>"],
    [400, said("partial write: shard 7 is pending deletion dropped=3")],
    [400, ""],
    [401, said("authorization failed")],
    [403, said("partial write: not for you")],
    [404, said('database not found: "nope"')],
    [429, said("too many")],
    [500, said("retention policy not found: zz")],
    [503, said("timeout")],
  ])("%i %s", (status, body) => {
    expect(refusalOf(status, body)).toBeUndefined();
  });

  test("a field or tag called like a part of the request makes no difference", () => {
    const body = said('field type conflict: input field "bucket" on measurement "database" is type float');
    expect(refusalOf(400, body)).toBeDefined();
    expect(
      refusalOf(400, said("unable to parse 'database,org=x precision= 1': missing field value")),
    ).toBeDefined();
  });

  test("too large a request is one that may be divided, whoever says so", () => {
    expect(refusalOf(413, "<html>Request Entity Too Large</html>")).toBeDefined();
  });
});

test("any answer at all is read without throwing", () => {
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ error: fc.anything(), message: fc.anything(), data: fc.anything() }).map((object) => {
      try {
        return JSON.stringify(object) ?? "";
      } catch {
        return "";
      }
    }),
  );
  fc.assert(
    fc.property(fc.constantFrom(201, 400, 413, 422, 500), body, (status, text) => {
      const refusal = refusalOf(status, text);
      expect(refusal === undefined || refusal.words !== "").toBe(true);
      expect(typeof wordsOf(text)).toBe("string");
    }),
    { numRuns: 1_000 },
  );
});
