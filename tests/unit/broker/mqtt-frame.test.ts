import * as fc from "fast-check";
import { generate } from "mqtt-packet";
import { expect, test } from "vitest";
import { encodePublish, writePuback } from "#broker/mqtt-frame.ts";

test("frames are byte for byte those of mqtt-packet", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 200, unit: "grapheme" }),
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(70_000).map((length) => new Uint8Array(length)),
      ),
      (topic, payload) => {
        const expected = generate({
          cmd: "publish",
          topic,
          payload: Buffer.from(payload),
          qos: 0,
          retain: false,
          dup: false,
        });
        expect(encodePublish(Buffer.from(topic), payload).equals(expected)).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
  const puback = Buffer.alloc(6);
  writePuback(puback, 1, 51_234);
  expect(puback.subarray(1, 5)).toEqual(generate({ cmd: "puback", messageId: 51_234 }));
});
