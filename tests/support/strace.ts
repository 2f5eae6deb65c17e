import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

/** One system call of a traced program, from the moment that it is made. */
export interface SystemCall {
  readonly name: string;
  readonly fd: number;
  /** What the descriptor is, as strace says it: a path, or `socket:[INODE]`. */
  readonly target: string;
  /** The arguments as strace wrote them; of a read, whole only once it has returned. */
  arguments: string;
  /** Once it has returned. */
  result: number | undefined;
}

/** A call is made (`result` is undefined), or has returned; the same `call` both times. In the order in which it happened. */
export interface SystemCallEvent {
  readonly call: SystemCall;
  /** Of the trace, from 1. */
  readonly line: number;
}

const calls =
  "openat,read,readv,recvfrom,recvmsg,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,fdatasync,fsync";

/**
 * Started under this, a program runs with its own pid and exit code, and each of its reads, writes and syncs goes to `file`,
 * with all bytes. One thread's call is held until strace has written it, so that the file has the order of events: what a thread does
 * because another's call returned stands behind that.
 */
export function straceTo(file: string): string[] {
  return [
    "strace",
    "-D",
    "-f",
    "--seccomp-bpf",
    "-tt",
    "-y",
    "-s",
    "4000000",
    "-e",
    `trace=${calls}`,
    "-o",
    file,
  ];
}

/** @throws when this machine does not let one program trace another (a container without CAP_SYS_PTRACE). */
export async function expectTracing(): Promise<void> {
  try {
    await run("strace", ["-f", "-o", "/dev/null", "true"]);
  } catch (error) {
    throw new Error(
      "strace may not trace here: this test needs ptrace (in a container: --cap-add SYS_PTRACE)",
      {
        cause: error,
      },
    );
  }
}

/** Reads what `straceTo` wrote, once the program `pid` has ended. */
export async function* readTrace(file: string): AsyncGenerator<SystemCallEvent> {
  /** Of each thread, the call that has not returned. */
  const open = new Map<string, SystemCall>();
  let line = 0;
  for await (const text of createInterface({
    input: createReadStream(file, "latin1"),
    crlfDelay: Infinity,
  })) {
    line += 1;
    const [, thread, what] = /^(\d+) +\S+ (.*)$/s.exec(text) ?? [];
    if (thread === undefined || what === undefined)
      throw new Error(`not a line of strace: ${text.slice(0, 200)}`);
    const resumed = /^<\.\.\. (\w+) resumed>/.exec(what);
    if (resumed) {
      const call = open.get(thread);
      open.delete(thread);
      if (call === undefined) continue; // of a kind that is not looked at
      takeResult(call, what.slice(resumed[0].length));
      yield { call, line };
      continue;
    }
    const begun = /^(\w+)\((?:(\d+)<(.*?)>|AT_FDCWD)/s.exec(what);
    if (!begun) continue; // an exit, a signal
    const [whole, name, fd = "-1", target = ""] = begun;
    const call: SystemCall = { name: name!, fd: Number(fd), target, arguments: "", result: undefined };
    const rest = what.slice(whole.length);
    if (rest.endsWith(unfinished)) {
      call.arguments = rest.slice(0, -unfinished.length);
      open.set(thread, call);
      yield { call, line };
    } else {
      const end = rest.lastIndexOf(") ");
      call.arguments = rest.slice(0, end);
      yield { call, line };
      takeResult(call, rest.slice(end));
      yield { call, line };
    }
  }
}

const unfinished = " <unfinished ...>";

/** @param text  The rest of the arguments, `)`, ` = ` and the result. */
function takeResult(call: SystemCall, text: string): void {
  const end = text.lastIndexOf(") ");
  call.arguments += text.slice(0, end);
  const [, result] = /^\) += (-?\d+)/.exec(text.slice(end)) ?? [];
  call.result = result === undefined ? Number.NaN : Number(result);
}

/** The bytes that a call wrote or read: all of its strings, one after the other. */
export function bytesOf(call: SystemCall): Buffer {
  const pieces: Buffer[] = [];
  const { arguments: text } = call;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at)) {
    const bytes = Buffer.allocUnsafe(text.length - at);
    let length = 0;
    for (at += 1; text[at] !== '"';) {
      if (at >= text.length) throw new Error(`a string without an end: ${call.name} ${text.slice(0, 100)}`);
      if (text[at] === "\\") {
        const octal = /^[0-7]{1,3}/.exec(text.slice(at + 1, at + 4))?.[0];
        bytes[length++] = octal === undefined ? escapes[text[at + 1]!]! : Number.parseInt(octal, 8);
        at += 1 + (octal?.length ?? 1);
      } else {
        bytes[length++] = text.charCodeAt(at++);
      }
    }
    at += 1;
    if (text.startsWith("...", at)) throw new Error(`strace cut a string short: ${call.name}`);
    pieces.push(bytes.subarray(0, length));
  }
  return Buffer.concat(pieces);
}

const escapes: Readonly<Record<string, number>> = {
  n: 10,
  t: 9,
  r: 13,
  v: 11,
  f: 12,
  '"': 34,
  "\\": 92,
};
