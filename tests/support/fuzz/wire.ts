import { connect } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { generate, parser } from "mqtt-packet";
import type { Chance } from "./chance.ts";
import { mutate } from "./mutate.ts";
import type { Packets } from "./packets.ts";

/** Milliseconds after which a ping without an answer was swallowed by a frame that claims to be longer than it is. */
const quiet = 25;
const ping = generate({ cmd: "pingreq" });

function nobodyWaits(): void {}

/**
 * One connection, from its CONNECT, which one in ten has damaged or left out, to an end that either side makes: at most `most` packets, good and bad ones.
 * Behind each comes a ping, so that the next is sent when the platform has looked at it.
 * @returns bad packets that were sent to an open connection.
 */
export async function fuzzConnection(
  port: number,
  packets: Packets,
  chance: Chance,
  most: number,
): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  const reader = parser();
  const state = { closed: false, answers: 0, heard: nobodyWaits };
  reader.on("packet", ({ cmd }) => {
    if (cmd !== "pingresp" && cmd !== "connack") return;
    state.answers += 1;
    state.heard();
  });
  reader.on("error", () => socket.destroy());
  socket.on("data", (chunk) => reader.parse(chunk));
  socket.on("error", () => {});
  const end = new Promise<void>((resolve) => {
    socket.once("close", () => {
      state.closed = true;
      state.heard();
      resolve();
    });
  });
  /** @returns false: neither an answer nor the end came. */
  const answered = (patience: number): Promise<boolean> => {
    const before = state.answers;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), patience);
      state.heard = () => {
        if (!state.closed && state.answers === before) return;
        clearTimeout(timer);
        resolve(true);
      };
      if (state.closed) state.heard();
    });
  };
  let bad = 0;
  let swallowed = false;
  if (chance.oneIn(10)) {
    bad += 1;
    socket.write(chance.oneIn(2) ? packets.bad() : mutate(packets.connect(), chance));
    swallowed = true;
  } else {
    socket.write(packets.connect());
    await answered(10_000);
  }
  for (let sent = 0; sent < most && !state.closed; sent += 1) {
    const isBad = !chance.oneIn(3);
    const bytes = Buffer.concat([isBad ? packets.bad() : packets.good(), ping]);
    const cut = chance.oneIn(3) ? chance.below(bytes.length) : 0;
    const answer: Promise<boolean> | undefined = swallowed ? undefined : answered(quiet);
    if (cut > 0) {
      socket.write(bytes.subarray(0, cut));
      await nextTurn(); // other connections' bytes come between
    }
    socket.write(bytes.subarray(cut));
    if (isBad) bad += 1;
    if (answer === undefined) await nextTurn();
    else swallowed = !(await answer);
  }
  if (chance.oneIn(2)) socket.destroy();
  else socket.end();
  const impatience = setTimeout(() => socket.destroy(), 1_000);
  await end;
  clearTimeout(impatience);
  return bad;
}
