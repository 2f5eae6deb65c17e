import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { poll } from "../../support/poll.ts";
import { requireDebian, whySkipped } from "../../support/debian.ts";
import { openTestBroker } from "./support.ts";

const run = promisify(execFile);
const there = await requireDebian("mosquitto-clients");

const topic = "marsad/mobility/corniche-1/up/lp";

function login(port: number): string[] {
  return ["-h", "127.0.0.1", "-p", `${port}`, "-u", "corniche-1", "-P", "c"];
}

describe.skipIf(!there)(
  `Debian's mosquitto clients${there ? "" : `: ${whySkipped("mosquitto-clients")}`}`,
  () => {
    test("mosquitto_pub -q 1 ends well once its reading is acknowledged", async () => {
      await using gateways = await openTestBroker();
      gateways.take = (session) => {
        setTimeout(() => session.acknowledge(1), 20);
        return true;
      };
      await run("mosquitto_pub", [
        ...login(gateways.port),
        "-q",
        "1",
        "-t",
        topic,
        "-m",
        "traffic_flow,sensor=a vehicles=1i 1",
      ]);
      expect(gateways.offered.map(({ payload }) => payload)).toEqual(["traffic_flow,sensor=a vehicles=1i 1"]);
    });

    test("mosquitto_pub with a wrong password says so", async () => {
      await using gateways = await openTestBroker();
      const wrong = run("mosquitto_pub", [...login(gateways.port), "-P", "wrong", "-t", topic, "-m", "x"]);
      await expect(wrong).rejects.toMatchObject({
        stderr: expect.stringContaining("bad user name or password") as string,
      });
    });

    test("mosquitto_sub hears its gateway's down topics, and is told when it may not subscribe", async () => {
      await using gateways = await openTestBroker();
      const down = "marsad/mobility/corniche-1/down/#";
      const child = spawn("mosquitto_sub", [...login(gateways.port), "-q", "1", "-C", "1", "-t", down], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exited = once(child, "exit");
      let heard = "";
      child.stdout.on("data", (chunk: Buffer) => (heard += chunk.toString()));
      await poll(() => gateways.events.length > 0);
      await gateways.broker.publish("marsad/mobility/corniche-1/down/config", "hello", {
        qos: 1,
        retain: true,
      });
      await exited;
      expect(heard).toBe("hello\n");
      const denied = run("mosquitto_sub", [...login(gateways.port), "-t", "#"]);
      expect((await denied).stderr).toContain("denied");
    });
  },
);
