import * as fc from "fast-check";
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
        let [taken, expected]: (number | undefined)[] = [];
        if (typeof each === "object") {
          inFlight.push(each.push, each.bytes);
          model.push({ id: each.push, bytes: each.bytes });
        } else {
          taken = takeOut(inFlight, each);
          expected = (each === "shift" ? model.shift() : model.pop())?.id;
        }
        expect(taken).toBe(expected);
        expect(inFlight.length).toBe(model.length);
        expect(inFlight.bytes).toBe(model.reduce((sum, { bytes }) => sum + bytes, 0));
      }
    }),
  );
});

/** The packet id that was taken out; undefined when there is nothing, which must be an error. */
function takeOut(inFlight: InFlight, how: "shift" | "pop"): number | undefined {
  if (inFlight.length > 0) return inFlight[how]();
  try {
    inFlight[how]();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
  }
  throw new Error("took something out of nothing");
}
