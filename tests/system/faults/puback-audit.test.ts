import { generate } from "mqtt-packet";
import { expect, test } from "vitest";
import type { SystemCall } from "../../support/strace.ts";
import { type PubackAudit, PubackAuditor } from "./puback-audit.ts";

const file = "/data/journal/data.mdb";
const socket = "socket:[7]";

/** As strace writes bytes. */
function text(bytes: Uint8Array): string {
  return `"${Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")}"`;
}

type Step = Omit<SystemCall, "result"> & { readonly returns: number };

function call(name: string, fd: number, target: string, bytes: Uint8Array, behind = ""): Step {
  const returns = bytes.length;
  return { name, fd, target, arguments: `, ${text(bytes)}, ${bytes.length}${behind}`, returns };
}

const client = { cmd: "connect", clientId: "one", protocolVersion: 4, clean: true, keepalive: 0 } as const;
const publish = {
  cmd: "publish",
  topic: "up/lp",
  payload: "mark",
  qos: 1,
  messageId: 5,
  dup: false,
  retain: false,
} as const;
const connect = call("read", 9, socket, generate(client));
const read = call("read", 9, socket, generate(publish));
const record = call("pwrite64", 4, file, Buffer.from("...mark..."), ", 40960");
const sync: Step = { name: "fdatasync", fd: 4, target: file, arguments: "", returns: 0 };
const header = call("pwrite64", 4, file, Buffer.from("header"), ", 4096");
const puback = call("write", 9, socket, generate({ cmd: "puback", messageId: 5 }));
const good = [connect, read, record, sync, header, sync, puback];

/** Each call made and returned before the next. */
function audit(steps: readonly Step[]): PubackAudit {
  const auditor = new PubackAuditor(() => ({ file, marks: [Buffer.from("mark")] }));
  let line = 0;
  for (const { returns, ...step } of steps) {
    const made: SystemCall = { ...step, result: undefined };
    auditor.take({ call: made, line: (line += 1) });
    made.result = returns;
    auditor.take({ call: made, line: (line += 1) });
  }
  return auditor.result;
}

test("a PUBACK behind record, sync, header and sync is in time", () => {
  expect(audit(good)).toEqual({ pubacks: 1, commits: 1, early: [] });
});

test("a header through a descriptor that syncs by itself needs no further sync", () => {
  const opened: Step = { name: "openat", fd: -1, target: "", arguments: ", O_RDWR|O_DSYNC", returns: 5 };
  const synced = { ...header, fd: 5 };
  expect(audit([opened, connect, read, record, sync, synced, puback]).early).toEqual([]);
});

test.each<[string, readonly Step[]]>([
  ["the record was never written", good.filter((step) => step !== record)],
  ["nothing was synced", good.filter((step) => step !== sync)],
  ["the header was written before the record was synced", [connect, read, record, header, sync, puback]],
  ["the header was not synced", [connect, read, record, sync, header, puback]],
  ["the sync failed", good.map((step) => (step === sync ? { ...sync, returns: -1 } : step))],
  ["another file was synced", good.map((step) => (step === sync ? { ...sync, target: "/other" } : step))],
  ["the PUBACK came first", [connect, read, puback, record, sync, header, sync]],
  ["the message was never read", [connect, record, sync, header, sync, puback]],
  [
    "only a part of the record was written",
    good.map((step) => (step === record ? { ...record, returns: 3 } : step)),
  ],
])("a PUBACK is early when %s", (_name, steps) => {
  const { pubacks, early } = audit(steps);
  expect(pubacks).toBe(1);
  expect(early).toHaveLength(1);
});

test("a PUBACK is early when the sync that should cover its record was made before the record was written", () => {
  const auditor = new PubackAuditor(() => ({ file, marks: [Buffer.from("mark")] }));
  let line = 0;
  const begin = (step: Step): SystemCall => {
    const made: SystemCall = { ...step, result: undefined };
    auditor.take({ call: made, line: (line += 1) });
    return made;
  };
  const end = (made: SystemCall, { returns }: Step): void => {
    made.result = returns;
    auditor.take({ call: made, line: (line += 1) });
  };
  for (const step of [connect, read]) end(begin(step), step);
  const syncing = begin(sync);
  end(begin(record), record);
  end(syncing, sync);
  for (const step of [header, sync, puback]) end(begin(step), step);
  expect(auditor.result.early).toHaveLength(1);
});
