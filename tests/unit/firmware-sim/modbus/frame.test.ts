import * as fc from "fast-check";
import { expect, test } from "vitest";
import { answerOf, exceptions, frameAt, type Request } from "#firmware-sim/modbus/frame.ts";

function bytesOf({ transaction, unit, code, data }: Request): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(transaction, 0);
  head.writeUInt16BE(2 + data.length, 4);
  head[6] = unit;
  head[7] = code;
  return Buffer.concat([head, data]);
}

const requests = fc.record({
  transaction: fc.nat(0xff_ff),
  unit: fc.nat(255),
  code: fc.nat(255),
  data: fc.uint8Array({ maxLength: 252 }).map((bytes) => Buffer.from(bytes)),
});

test("requests are found again in a stream, and what is cut off is incomplete", () => {
  fc.assert(
    fc.property(fc.array(requests, { maxLength: 5 }), fc.nat(300), (sent, cut) => {
      const stream = Buffer.concat(sent.map(bytesOf));
      const part = stream.subarray(0, Math.max(0, stream.length - cut));
      const found: Request[] = [];
      let at = 0;
      let frame = frameAt(part, at);
      for (; frame.kind === "request"; frame = frameAt(part, at)) {
        found.push(frame.request);
        at = frame.end;
      }
      expect(frame.kind).toBe("incomplete");
      expect(found).toEqual(sent.slice(0, found.length));
      expect(part.length - at).toBeLessThan(260);
      expect(cut > 0 || found.length === sent.length).toBe(true);
    }),
  );
});

test("whatever comes is a request, incomplete or broken, and never throws", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const frame = frameAt(Buffer.from(bytes), 0);
      expect(frame.kind !== "request" || frame.end <= bytes.length).toBe(true);
      expect(frame.kind !== "incomplete" || bytes.length < 260).toBe(true);
    }),
  );
  expect(frameAt(Buffer.from("GET / HTTP/1.1\r\n"), 0).kind).toBe("broken");
});

test("an answer carries the request's transaction and unit, registers or an exception", () => {
  const request: Request = { transaction: 0x1234, unit: 17, code: 3, data: Buffer.alloc(4) };
  const answer = answerOf(request, Buffer.from([1, 2, 3, 4]));
  expect(answer.toString("hex")).toBe("12340000000711030401020304");
  expect(answerOf(request, exceptions.busy).toString("hex")).toBe("123400000003118306");
});
