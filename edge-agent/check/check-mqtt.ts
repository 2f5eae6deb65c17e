import type { IPublishPacket } from "mqtt";
import { setTimeout as sleep } from "node:timers/promises";
import { LineIntake } from "../line-intake.ts";
import type { MqttInput } from "../inputs/mqtt/config.ts";
import { decodeMessage } from "../inputs/mqtt/decode-message.ts";
import { connectLocally } from "../inputs/mqtt/local-client.ts";
import { type InputPlans, longestLineOf } from "../inputs/plans.ts";
import { type ListenCheck, resultOf } from "./check-lines.ts";
import type { CheckProblem, CheckedInput } from "./report.ts";

/** Topics told of at most. */
const maxTold = 20;

/** Hears a local broker's topics under a name of its own: the agent's session keeps its messages. */
export async function checkMqtt(
  check: ListenCheck<MqttInput> & { readonly plans: InputPlans },
): Promise<CheckedInput> {
  const { input, name, plans, collector, listen, signal } = check;
  const topics = plans.topics.get(input) ?? [];
  const intake = new LineIntake(collector.stage, longestLineOf(input, plans));
  const told = new Map<string, CheckProblem>();
  const notes = new Map<string, string>();
  let retained = 0;
  const take = ({ topic, payload, retain }: IPublishPacket): Promise<boolean> => {
    const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
    for (const plan of topics) {
      const levels = plan.pattern.match(topic);
      if (levels === undefined) continue;
      if (retain && !plan.retained) {
        retained += 1;
        continue;
      }
      const decoded = decodeMessage(plan, levels, bytes);
      if (decoded.kind === "unreadable") tell(topic, decoded.why);
      else if (decoded.kind === "nothing") note(topic, decoded.why);
      else {
        intake.take(decoded.lines, 0, decoded.lines.length, Date.now());
        collector.judge(topic);
        for (const problem of decoded.problems) tell(topic, problem);
      }
    }
    return Promise.resolve(true);
  };
  const tell = (topic: string, why: string): void => {
    if (told.size < maxTold)
      told.set(`${topic} ${why}`, { input: name, problem: `${topic}: ${why}`, hints: [] });
  };
  const note = (topic: string, why: string): void => {
    if (notes.size < maxTold) notes.set(topic, `${name}: ${topic}: nothing for us: ${why}`);
  };

  const connection = await connectLocally(
    {
      input,
      clientId: `marsad-check-${process.pid}`,
      clean: true,
      filters: [...new Set(topics.map(({ pattern }) => pattern.filter))],
      take,
    },
    signal,
  ).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  if (typeof connection === "string") {
    const hints = [
      "`connect`: is the broker there?",
      "`username` and `password_file`",
      "the broker's access list: may this user read these topics?",
    ];
    return {
      values: [],
      problems: [{ input: name, problem: `no connection: ${connection}`, hints }],
      notes: [],
    };
  }
  await sleep(listen, undefined, { signal }).catch(() => {});
  await connection.close();
  if (retained > 0)
    notes.set("", `${name}: ${retained} retained messages were left out; \`retained: true\` takes them`);
  const result = resultOf(check, "no message with readings came");
  return {
    ...result,
    problems: [...result.problems, ...told.values()],
    notes: [...result.notes, ...notes.values()],
  };
}
