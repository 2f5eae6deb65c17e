import * as fc from "fast-check";
import crc16 from "modbus-serial/utils/crc16.js";
import { expect, test } from "vitest";
import { type Answer, readAnswer, requestFrame } from "#edge-agent/inputs/modbus/frame.ts";
import { tables } from "#edge-agent/inputs/modbus/register-map.ts";

const span = { table: "holding", register: 107, count: 3 } as const;

function frame(...bytes: number[]): Buffer {
  const checksum = crc16(Buffer.from(bytes));
  return Buffer.from([...bytes, checksum & 255, checksum >> 8]);
}

function kind(answer: Answer): string {
  return answer.ok ? "ok" : answer.failure.kind;
}

test("a request is the specification's own example", () => {
  expect(requestFrame(17, span).subarray(0, 6).toString("hex")).toBe("1103006b0003");
  expect(requestFrame(17, span)).toEqual(frame(0x11, 3, 0, 0x6b, 0, 3));
});

test("an answer is taken when unit, function, length and checksum are those of the request", () => {
  const answer = frame(17, 3, 6, 0x02, 0x2b, 0, 0, 0, 0x64);
  expect(readAnswer(answer, 17, span)).toEqual({ ok: true, bytes: Buffer.from("022b00000064", "hex") });
  const broken = Buffer.from(answer);
  broken[4]! ^= 1;
  expect(kind(readAnswer(broken, 17, span))).toBe("garbled");
  expect(kind(readAnswer(answer, 18, span))).toBe("garbled");
  expect(kind(readAnswer(answer, 17, { ...span, count: 2 }))).toBe("garbled");
  expect(kind(readAnswer(answer, 17, { ...span, table: "input" }))).toBe("garbled");
});

test("an exception is a refusal, with its code in words", () => {
  expect(readAnswer(frame(17, 0x83, 2), 17, span)).toEqual({
    ok: false,
    failure: {
      kind: "refused",
      detail: "exception 2: illegal data address: the device has no such register",
      exception: 2,
    },
  });
});

test("no frame makes the reader throw, and none is taken whose length is not that of the request", () => {
  const spans = fc.record({
    table: fc.constantFrom(...tables),
    register: fc.nat(65_535),
    count: fc.integer({ min: 1, max: 125 }),
  });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), spans, (bytes, valid, span) => {
      const sent = valid ? frame(...bytes) : Buffer.from(bytes);
      const answer = readAnswer(sent, bytes[0] ?? 1, span);
      const wanted =
        span.table === "coil" || span.table === "discrete" ? Math.ceil(span.count / 8) : 2 * span.count;
      expect(answer.ok ? answer.bytes.length : wanted).toBe(wanted);
    }),
  );
});
