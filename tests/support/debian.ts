import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const asked = new Map<string, Promise<boolean>>();

/**
 * Is the Debian package there? As root on Debian it is installed when it is missing, one package after the other, however many
 * test files ask at once. A test that gets `false` is skipped, and says why: `whySkipped(name)`.
 */
export function requireDebian(name: string): Promise<boolean> {
  let answer = asked.get(name);
  if (answer === undefined) {
    answer = obtain(name);
    asked.set(name, answer);
  }
  return answer;
}

/** The reason for a skipped test. */
export function whySkipped(name: string): string {
  return `needs Debian's package "${name}": install it, or run as root on Debian`;
}

async function obtain(name: string): Promise<boolean> {
  if (await isInstalled(name)) return true;
  if (process.getuid?.() !== 0 || !existsSync("/etc/debian_version")) return false;
  // flock: other test files may want packages too. RUNLEVEL=1: a server is installed, not started.
  const script = `dpkg-query -W -f '\${Status}' "$1" 2>/dev/null | grep -q 'ok installed' && exit 0
    apt-get install -y --no-install-recommends "$1" || { apt-get update && apt-get install -y --no-install-recommends "$1"; }`;
  try {
    await run("flock", [join(tmpdir(), "marsad-tests-apt.lock"), "sh", "-c", script, "sh", name], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
      timeout: 170_000,
      maxBuffer: 16 * 1024 * 1024,
    });
  } catch {
    return false; // no network, no mirror: the test is skipped by name
  }
  return isInstalled(name);
}

async function isInstalled(name: string): Promise<boolean> {
  try {
    const { stdout } = await run("dpkg-query", ["-W", "-f", "${Status}", name]);
    return stdout.includes("ok installed");
  } catch {
    return false;
  }
}
