import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { SensorRef, TagVersion, TagsOf } from "../../tags.ts";
import type { AskTags } from "./reading-tags.ts";

interface Question {
  readonly id: number;
  readonly sensors: readonly SensorRef[];
}

interface Answer {
  readonly id: number;
  /** Why there is none. */
  readonly error?: string;
  /** Each set of tags once. */
  readonly sets: readonly TagVersion["tags"][];
  /** For each sensor from when which set holds: its time and the set's number, one after the other. */
  readonly versions: readonly (readonly number[])[];
}

/**
 * Answers the store thread's questions in this one, where the registry is. Each is of a few hundred sensors: a millisecond or two.
 * @returns the other thread's end
 */
export function answerTags(tagsOf: TagsOf): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.on("message", ({ id, sensors }: Question) => {
    try {
      port1.postMessage({ id, ...answer(sensors, tagsOf) } satisfies Answer);
    } catch (error) {
      port1.postMessage({ id, sets: [], versions: [], error: String(error) } satisfies Answer);
    }
  });
  port1.unref();
  return port2;
}

function answer(sensors: readonly SensorRef[], tagsOf: TagsOf): Pick<Answer, "sets" | "versions"> {
  const numbers = new Map<string, number>();
  const sets: TagVersion["tags"][] = [];
  const versions = sensors.map(({ agency, sensor }) =>
    tagsOf(agency, sensor).flatMap(({ from, tags }) => {
      const text = JSON.stringify(tags);
      let number = numbers.get(text);
      if (number === undefined) numbers.set(text, (number = sets.push(tags) - 1));
      return [from, number];
    }),
  );
  return { sets, versions };
}

/** Asks over the port of `answerTags`. */
export function askOver(port: MessagePort): AskTags {
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;
  port.on("message", (answer: Answer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  port.unref();
  return async (sensors) => {
    const id = ++last;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    waiting.set(id, resolve);
    port.postMessage({ id, sensors } satisfies Question);
    const { sets, versions, error } = await promise;
    if (error !== undefined) throw new Error(`the registry does not say what tags are: ${error}`);
    return versions.map((found) => {
      const all: TagVersion[] = [];
      for (let at = 0; at < found.length; at += 2)
        all.push({ from: found[at]!, tags: sets[found[at + 1]!]! });
      return all;
    });
  };
}
