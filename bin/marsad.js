#!/usr/bin/env node
// Plain JavaScript that an old Node can read: the TypeScript sources run as they are from Node 24.7 on, and an older
// one is replaced by the Node that `npm ci` brings along.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const program = join(root, "marsad.ts");
const [major, minor] = process.versions.node.split(".").map(Number);

if (major > 24 || (major === 24 && minor >= 7)) {
  void import(program);
} else {
  const node = join(root, "node_modules", ".bin", "node");
  if (existsSync(node)) {
    runWith(node);
  } else {
    console.error(
      `marsad: this is Node ${process.versions.node}, and Marsad needs 24.7 or newer. ` +
        `Run "npm ci" in ${root} (it brings one along), or install Node 24.`,
    );
    process.exitCode = 2;
  }
}

function runWith(node) {
  const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: "inherit" });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  child.on("error", (error) => {
    console.error(`marsad: cannot run ${node}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    for (const each of signals) process.off(each, forward);
    if (signal === null) process.exitCode = code;
    else process.kill(process.pid, signal);
  });
}
