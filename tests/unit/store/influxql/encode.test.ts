import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import * as fc from "fast-check";
import { InfluxqlError } from "#store/influxql/errors.ts";
import { Indenter } from "#store/influxql/indenter.ts";
import { answerRequest } from "#store/influxql/request.ts";
import type { ResultSeries, StatementResult } from "#store/influxql/result.ts";
import type { QueryRequest } from "#store/query.ts";

/** What an influxd 1.6.7 says of the same. */
const odd = '<a&b>"q\\ \u2028 \n2';
const series: Record<string, readonly ResultSeries[]> = {
  m: [
    {
      name: "m",
      tags: { d: "" },
      columns: ["time", "f", "t"],
      values: [
        { type: "time", values: Float64Array.of(3_000) },
        { type: "float", values: Float64Array.of(1e22) },
        { type: "string", values: ["Abd"] },
      ],
      rows: 1,
    },
    {
      name: "m",
      tags: { d: "q,=z" },
      columns: ["time", "f", "t"],
      values: [
        { type: "time", values: Float64Array.of(1_000, 2_123) },
        { type: "float", values: Float64Array.of(1e-9, -0.000001) },
        { type: "string", values: [odd, null] },
      ],
      rows: 2,
    },
  ],
  n: [
    {
      name: "n",
      columns: ["time", "b", "i"],
      values: [
        { type: "time", values: Float64Array.of(1_762_000_000_000, -1) },
        { type: "boolean", values: Float64Array.of(1, Number.NaN) },
        { type: "integer", values: Float64Array.of(7, -2) },
      ],
      rows: 2,
    },
  ],
  nothing: [],
};

const run = async (statement: { kind: string; sources?: readonly unknown[] }): Promise<StatementResult> => {
  const [source] = statement.sources as { name: { name: string } }[];
  const found = series[source!.name.name];
  if (found === undefined) throw new InfluxqlError("semantic", "that <is> wrong");
  return { series: found };
};

async function ask(request: Partial<QueryRequest> & { q: string }): Promise<string> {
  const { body } = answerRequest({ format: "json", ...request }, run);
  return await text(body);
}

test("JSON as InfluxDB writes it: times, numbers, escapes", async () => {
  expect(await ask({ q: "SELECT f FROM m; SELECT b FROM n; SELECT x FROM nothing" })).toBe(
    `{"results":[{"statement_id":0,"series":[` +
      `{"name":"m","tags":{"d":""},"columns":["time","f","t"],"values":[["1970-01-01T00:00:03Z",1e+22,"Abd"]]},` +
      `{"name":"m","tags":{"d":"q,=z"},"columns":["time","f","t"],"values":[` +
      String.raw`["1970-01-01T00:00:01Z",1e-9,"\u003ca\u0026b\u003e\"q\\ \u2028 \n2"],["1970-01-01T00:00:02.123Z",-0.000001,null]]}]},` +
      `{"statement_id":1,"series":[{"name":"n","columns":["time","b","i"],"values":[` +
      `["2025-11-01T12:26:40Z",true,7],["1969-12-31T23:59:59.999Z",null,-2]]}]},{"statement_id":2}]}\n`,
  );
});

test("times as numbers of a unit, and on a zone's clocks", async () => {
  const times = async (request: Partial<QueryRequest>): Promise<unknown[]> => {
    const { results } = JSON.parse(await ask({ q: "SELECT b FROM n", ...request })) as {
      results: [{ series: [{ values: unknown[][] }] }];
    };
    return results[0].series[0].values.map(([time]) => time);
  };
  expect(await times({ epoch: "ms" })).toEqual([1_762_000_000_000, -1]);
  expect(await times({ epoch: "s" })).toEqual([1_762_000_000, 0]);
  expect(await times({ epoch: "h" })).toEqual([489_444, 0]);
  expect(await ask({ q: "SELECT b FROM n", epoch: "ns" })).toContain("[1762000000000000000,true");
  expect(await times({ q: "SELECT b FROM n TZ('Asia/Riyadh')" })).toEqual([
    "2025-11-01T15:26:40+03:00",
    "1970-01-01T02:59:59.999+03:00",
  ]);
  expect(await times({ q: "SELECT b FROM n TZ('America/New_York')" })).toEqual([
    "2025-11-01T08:26:40-04:00",
    "1969-12-31T18:59:59.999-05:00",
  ]);
});

test("in chunks: what is not the last is partial", async () => {
  const lines = (await ask({ q: "SELECT f FROM m; SELECT x FROM nothing; SELECT b FROM n", chunk: 1 })).split(
    "\n",
  );
  expect(lines.map((line) => line.replace(/.*"values":/, ""))).toEqual([
    `[["1970-01-01T00:00:03Z",1e+22,"Abd"]]}],"partial":true}]}`,
    String.raw`[["1970-01-01T00:00:01Z",1e-9,"\u003ca\u0026b\u003e\"q\\ \u2028 \n2"]],"partial":true}],"partial":true}]}`,
    `[["1970-01-01T00:00:02.123Z",-0.000001,null]]}]}]}`,
    `{"results":[{"statement_id":1}]}`,
    `[["2025-11-01T12:26:40Z",true,7]],"partial":true}],"partial":true}]}`,
    `[["1969-12-31T23:59:59.999Z",null,-2]]}]}]}`,
    "",
  ]);
});

test("what is wrong with a statement ends those after it; what cannot be read, the request", async () => {
  expect(await ask({ q: "SELECT f FROM wrong; SELECT b FROM n" })).toBe(
    String.raw`{"results":[{"statement_id":0,"error":"that \u003cis\u003e wrong"},{"statement_id":1,"error":"not executed"}]}` +
      "\n",
  );
  const { status, body } = answerRequest({ q: "SELECT f FROM", format: "json" }, run);
  expect(status).toBe(400);
  expect(await text(body)).toMatch(
    /^\{"error":"error parsing query: found EOF, expected identifier at [^"]+"\}\n$/,
  );
  expect(await ask({ q: "SELECT b FROM n", db: "other" })).toContain(`"error":"database not found: other"`);
  expect(await ask({ q: "SELECT b FROM other.autogen.n" })).toContain(`"error":"database not found: other"`);
  expect(await ask({ q: "SELECT b FROM marsad.autogen.n", db: "other" })).toContain(`"values"`);
});

test("for people: indented", async () => {
  expect(await ask({ q: "SELECT x FROM nothing", pretty: true })).toBe(
    `{\n    "results": [\n        {\n            "statement_id": 0\n        }\n    ]\n}\n`,
  );
  expect(await ask({ q: "SELECT f FROM m", pretty: true })).toContain(String.raw`"\u003ca\u0026b`);
});

test("CSV as InfluxDB writes it, and its errors", async () => {
  const q = "SELECT f FROM m; SELECT x FROM nothing; SELECT b FROM n";
  expect(await ask({ q, format: "csv" })).toBe(
    `name,tags,time,f,t\nm,,3000000000,10000000000000000000000,Abd\n` +
      `m,"d=q\\,\\=z",1000000000,0.000000001,"<a&b>""q\\ \u2028 \n2"\nm,"d=q\\,\\=z",2123000000,-0.000001,\n\n` +
      `name,tags,time,b,i\nn,,1762000000000000000,true,7\nn,,-1000000,,-2\n`,
  );
  expect(await ask({ q: "SELECT b FROM n; SELECT x FROM wrong", format: "csv", epoch: "ms" })).toBe(
    `name,tags,time,b,i\nn,,1762000000000,true,7\nn,,-1,,-2\n\nerror\nthat <is> wrong\n`,
  );
});

test("nothing is run before it is asked for", async () => {
  let runs = 0;
  const { body } = answerRequest({ q: "SELECT b FROM n; SELECT b FROM n", format: "json" }, () => {
    runs += 1;
    const rows = 50_000;
    const values = [{ type: "float" as const, values: new Float64Array(rows).fill(1.5) }];
    return Promise.resolve({ series: [{ columns: ["f"], values, rows }] });
  });
  const pieces = body[Symbol.asyncIterator]();
  expect(runs).toBe(0);
  await pieces.next();
  await pieces.next();
  expect(runs).toBe(1);
});

test("JSON is indented while it comes as it would be as a whole", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const indenter = new Indenter();
      const words = JSON.stringify(value).match(/"(?:[^"\\]|\\.)*"|[^"]/gsu)!;
      const text = words.map((word) => indenter.add(word)).join("");
      expect(text).toBe(JSON.stringify(value, null, 4));
      expect(new Indenter().add(JSON.stringify(value))).toBe(text);
    }),
  );
});
