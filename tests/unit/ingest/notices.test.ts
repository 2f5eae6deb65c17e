import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { GatewayState } from "#ingest/gateway-state.ts";
import { Notices } from "#ingest/notices.ts";
import { RebirthRequests } from "#ingest/rebirth.ts";
import { nackRejectionLimit, parseNack } from "#telemetry/nack.ts";
import type { Rejection } from "#telemetry/rejection.ts";

const rejection = (ordinal: number): Rejection => ({
  reason: "syntax",
  detail: "no",
  start: 0,
  end: 3,
  ordinal,
});

describe("asking for a birth", () => {
  test("waits twice as long each time that nobody answers, up to ten minutes; an answer begins anew after its wait", () => {
    const requests = new RebirthRequests();
    const asked: number[] = [];
    for (let second = 0; second < 3_600; second += 1)
      if (requests.isDue("gw-1", second * 1_000)) asked.push(second);
    expect(asked).toEqual([0, 10, 30, 70, 150, 310, 630, 1_230, 1_830, 2_430, 3_030]);
    requests.answered("gw-1");
    expect(requests.isDue("gw-1", 3_600_000)).toBe(false); // the last wait is not over
    expect(requests.isDue("gw-1", 3_631_000)).toBe(true);
    expect(requests.isDue("gw-1", 3_640_000)).toBe(false);
    expect(requests.isDue("gw-1", 3_641_000)).toBe(true);
    expect(requests.isDue("gw-2", 0)).toBe(true);
  });
});

describe("nacks", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("gather a second's refusals, explain the first and count the rest", () => {
    const told: string[] = [];
    const notices = new Notices((_gateway, channel, payload) => void told.push(`${channel} ${payload}`));
    notices.start();
    const gateway = new GatewayState({ name: "gw-1", agency: "water" }, 0);
    const payload = Buffer.from("bad reading");
    const numbering = { outbox: "o", first: 10, n: 30 };
    notices.refused(
      gateway,
      payload,
      Array.from({ length: 30 }, (_, i) => rejection(i)),
      numbering,
    );
    notices.refused(gateway, payload, []);
    payload.fill(0);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(told).toHaveLength(1);
    const nack = parseNack(Buffer.from(told[0]!.slice("nack ".length)));
    expect(nack).toMatchObject({ ok: true, message: { count: 30 } });
    const rejections = nack.ok ? nack.message.rejections : [];
    expect(rejections).toHaveLength(nackRejectionLimit);
    expect(rejections[3]).toEqual({
      reason: "syntax",
      detail: "no",
      outbox: "o",
      number: 13,
      excerpt: "bad",
    });
    vi.advanceTimersByTime(5_000);
    expect(told).toHaveLength(1);
    notices.refused(gateway, Buffer.from("bad"), [rejection(0)]);
    notices.close();
    expect(told).toHaveLength(2);
    vi.advanceTimersByTime(5_000);
    expect(told).toHaveLength(2);
  });

  test("a birth is asked for by a clock that is never set", () => {
    let now = 0;
    const told: string[] = [];
    const notices = new Notices(
      (gateway, channel) => void told.push(`${gateway.name} ${channel}`),
      () => now,
    );
    const gateway = new GatewayState({ name: "gw-1", agency: "water" }, 0);
    for (now = 0; now < 12_000; now += 1_000) notices.askForBirth(gateway);
    expect(told).toEqual(["gw-1 rebirth", "gw-1 rebirth"]);
  });
});
