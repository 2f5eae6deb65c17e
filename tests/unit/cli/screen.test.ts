import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { openScreen } from "#cli/up/screen.ts";

function transcript(): { out: NodeJS.WriteStream; text: () => string } {
  const out = new PassThrough();
  return { out: out as unknown as NodeJS.WriteStream, text: () => String(out.read() ?? "") };
}

test("without a terminal, the live line comes every ten seconds and progress every five", () => {
  let clock = 0;
  const { out, text } = transcript();
  const screen = openScreen(out, () => clock);
  for (clock = 0; clock <= 20_000; clock += 1_000) screen.live(`at ${clock}`);
  expect(text()).toBe("at 0\nat 10000\nat 20000\n");
  for (clock = 0; clock <= 10_000; clock += 1_000) screen.progress("History", clock, 10_000, "fast");
  expect(text()).toBe(
    "History 0 % | 0 of 10,000 | fast\nHistory 50 % | 5,000 of 10,000 | fast\nHistory 100 % | 10,000 of 10,000 | fast\n",
  );
});

test("without a terminal, nothing moves the cursor", () => {
  const { out, text } = transcript();
  const screen = openScreen(out);
  screen.say("one");
  screen.warn("two");
  screen.live("three");
  screen.close();
  expect(text()).toBe("one\ntwo\nthree\n");
});
