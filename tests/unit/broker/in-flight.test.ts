import fc from "fast-check";
import { expect, test } from "vitest";
import { InFlight } from "#broker/in-flight.ts";

test("behaves like a list, whatever is put in and taken out", () => {
  const step = fc.oneof(
    fc.record({ push: fc.nat(65_535), bytes: fc.nat(300_000) }),
    fc.constant("shift" as const),
    fc.constant("pop" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const inFlight = new InFlight();
      const model: { id: number; bytes: number }[] = [];
      for (const each of steps) {
        if (typeof each === "object") {
          inFlight.push(each.push, each.bytes);
          model.push({ id: each.push, bytes: each.bytes });
        } else if (model.length === 0) {
          expect(() => inFlight[each]()).toThrow(RangeError);
        } else if (each === "shift") {
          expect(inFlight.shift()).toBe(model.shift()?.id);
        } else {
          inFlight.pop();
          model.pop();
        }
        expect(inFlight.length).toBe(model.length);
        expect(inFlight.bytes).toBe(model.reduce((sum, { bytes }) => sum + bytes, 0));
      }
    }),
  );
});
