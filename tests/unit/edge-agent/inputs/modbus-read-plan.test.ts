import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Span, maxCount, planReads } from "#edge-agent/inputs/modbus/read-plan.ts";
import { tables } from "#edge-agent/inputs/modbus/register-map.ts";

const spans: fc.Arbitrary<Span[]> = fc.array(
  fc.record({
    table: fc.constantFrom(...tables),
    register: fc.oneof(fc.nat(300), fc.nat(65_531)),
    count: fc.constantFrom(1, 2, 4),
  }),
  { minLength: 1, maxLength: 40 },
);

test("every span stands whole in one request, where the plan says", () => {
  fc.assert(
    fc.property(spans, fc.nat(120), (wanted, gap) => {
      const { requests, located } = planReads(wanted, gap);
      for (const [index, span] of wanted.entries()) {
        const { request, at } = located[index]!;
        const { table, register, count } = requests[request]!;
        expect(table).toBe(span.table);
        expect(register + at).toBe(span.register);
        expect(at + span.count).toBeLessThanOrEqual(count);
      }
    }),
  );
});

test("no request asks for more than Modbus allows, nor for what nobody wants at its ends, nor over a gap that is too wide", () => {
  fc.assert(
    fc.property(spans, fc.nat(120), (wanted, gap) => {
      for (const { table, register, count } of planReads(wanted, gap).requests) {
        expect(count).toBeLessThanOrEqual(maxCount(table));
        const inside = wanted
          .filter(
            (span) =>
              span.table === table &&
              span.register >= register &&
              span.register + span.count <= register + count,
          )
          .sort((a, b) => a.register - b.register);
        expect(inside[0]!.register).toBe(register);
        expect(Math.max(...inside.map((span) => span.register + span.count))).toBe(register + count);
        let end = register;
        for (const span of inside) {
          expect(span.register - end).toBeLessThanOrEqual(gap);
          end = Math.max(end, span.register + span.count);
        }
      }
    }),
  );
});

function at(register: number, count = 1, table: Span["table"] = "holding"): Span {
  return { table, register, count };
}

describe("registers that lie together are one request:", () => {
  test("with a gap between them", () => {
    expect(planReads([at(10, 2), at(0, 4), at(4, 2)], 8).requests).toEqual([at(0, 12)]);
    expect(planReads([at(0, 4), at(13)], 8).requests).toEqual([at(0, 4), at(13)]);
    expect(planReads([at(0), at(2)], 0).requests).toEqual([at(0), at(2)]);
  });

  test("of one table", () => {
    expect(planReads([at(0), at(1, 1, "input")], 8).requests).toEqual([at(0), at(1, 1, "input")]);
  });

  test("up to 125 of them, none cut in two", () => {
    expect(planReads([at(0), at(121, 4)], 120).requests).toEqual([at(0, 125)]);
    expect(planReads([at(0), at(122, 4)], 125).requests).toEqual([at(0), at(122, 4)]);
  });

  test("also where two fields share them", () => {
    expect(planReads([at(5, 4), at(6, 1), at(5, 2)], 8).requests).toEqual([at(5, 4)]);
  });
});
