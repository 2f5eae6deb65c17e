import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { once } from "node:events";

export interface MosquittoPub {
  readonly port: number;
  /** User name and, unless another is wanted, client id. */
  readonly name: string;
  readonly password: string;
  readonly topic: string;
  readonly payload: string | Uint8Array;
  readonly args?: readonly string[];
}

/** Debian's `mosquitto_pub -q 1`, which ends when its PUBACK has come: `requireDebian("mosquitto-clients")` first. */
export async function mosquittoPub(options: MosquittoPub): Promise<{ code: number | null; stderr: string }> {
  const { port, name, password, topic, payload, args = [] } = options;
  const credentials = [
    "-h",
    "127.0.0.1",
    "-p",
    String(port),
    "-u",
    name,
    "-P",
    password,
    "-i",
    `${name}-pub`,
  ];
  const child = spawn("mosquitto_pub", [...credentials, "-q", "1", "-t", topic, "-s", ...args], {
    stdio: ["pipe", "ignore", "pipe"],
    timeout: 10_000,
  });
  child.stdin.on("error", () => {}); // it refused before it read
  child.stdin.end(payload);
  const [stderr] = await Promise.all([text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, stderr };
}
