import type { Socket } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OutputWatch } from "#broker/output-watch.ts";

const limits = { outputBytes: 1000, outputTimeout_ms: 7000 };

/** What the watch sees of a socket: `written` bytes, of which `taken` have left. */
function watched(): { written: number; taken: number; heard: string[]; watch: OutputWatch } {
  const state = { written: 0, taken: 0, heard: [] as string[] };
  const socket = {
    destroyed: false,
    writableNeedDrain: true,
    get bytesWritten() {
      return state.written;
    },
    get writableLength() {
      return state.written - state.taken;
    },
  } as Socket;
  const watch = new OutputWatch({
    socket,
    limits,
    setFull: (full) => state.heard.push(full ? "full" : "empty"),
    onStuck: () => state.heard.push("stuck"),
  });
  return Object.assign(state, { watch });
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what must not be dropped stops the reading until all is taken", () => {
  const peer = watched();
  peer.written = 999;
  peer.watch.wrote();
  expect(peer.heard).toEqual([]);
  peer.written = 1000;
  peer.watch.wrote();
  peer.watch.wrote();
  peer.taken = 1000;
  peer.watch.drained();
  vi.advanceTimersByTime(20_000);
  expect(peer.heard).toEqual(["full", "empty"]);
});

test("who takes less than the bound in time is stuck, whatever waits for it", () => {
  for (const wait of ["wrote", "dropped"] as const) {
    const peer = watched();
    peer.written = 2000;
    peer.watch[wait]();
    peer.taken = 999;
    vi.advanceTimersByTime(6999);
    expect(peer.heard).not.toContain("stuck");
    vi.advanceTimersByTime(1);
    expect(peer.heard).toContain("stuck");
  }
});

test("who takes copies slowly is looked at again and again, and cut off when it stops", () => {
  const peer = watched();
  for (let round = 1; round <= 5; round++) {
    peer.written = peer.taken + 1000;
    peer.watch.dropped();
    peer.taken += 1000;
    vi.advanceTimersByTime(7000);
    expect(peer.heard).toEqual([]);
  }
  peer.written += 1000;
  peer.watch.dropped();
  vi.advanceTimersByTime(7000);
  expect(peer.heard).toEqual(["stuck"]);
});

test("who has taken all is not stuck, although a large packet beside little was dropped and no drain was told", () => {
  const peer = watched();
  peer.written = 10;
  peer.watch.dropped();
  peer.taken = 10;
  vi.advanceTimersByTime(20_000);
  expect(peer.heard).toEqual([]);
  peer.written = 20;
  peer.watch.dropped();
  vi.advanceTimersByTime(7000);
  expect(peer.heard).toEqual(["stuck"]);
});

test("nothing is heard after the end", () => {
  const peer = watched();
  peer.written = 2000;
  peer.watch.dropped();
  peer.watch.end();
  vi.advanceTimersByTime(20_000);
  expect(peer.heard).toEqual([]);
});
