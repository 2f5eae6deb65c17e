import { expect, test } from "vitest";
import { MessageTemplates } from "#cli/bench/message-templates.ts";

test("more messages than a call takes arguments are made, one reading each", () => {
  const sensors = Array.from({ length: 130_000 }, (_, i) => `s-${i}`);
  const templates = new MessageTemplates({ topic: "t", sensors, batch: 1, startTime: 1_700_000_000_000 });
  expect(templates.count).toBe(sensors.length);
  const first = templates.next(1).toString("latin1");
  expect(first).toMatch(/traffic_flow,sensor=s-0 vehicles=\d{3},.* 1700000000000\n$/);
  expect(templates.messageBytes).toBe(first.length + "s-129999".length - "s-0".length);
});
