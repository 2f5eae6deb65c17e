import { isUtf8 } from "node:buffer";
import { z } from "zod";
import { reasons } from "#telemetry/rejection.ts";
import { answers, type ApiContext, type ApiServer } from "../context.ts";
import { ProblemError } from "../problem.ts";
import { DeadLetters, DeadLetterWithPayload, Replayed, ReplayFilter } from "../schemas.ts";

const DeadLetterParameters = z.strictObject({
  gateway: z.string().optional(),
  reason: z.enum(reasons).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});

export function deadLetterRoutes(server: ApiServer, { port }: ApiContext): void {
  server.get(
    "/api/v1/deadletters",
    {
      config: { access: "viewer" },
      schema: {
        tags: ["deadletters"],
        summary: "What was refused",
        description: "Pieces of payloads that were not stored, with the reason; the latest first.",
        querystring: DeadLetterParameters,
        response: answers("Dead letters without their bytes.", DeadLetters),
      },
    },
    async ({ query }) => ({ deadletters: await port.deadLetters.list(defined(query)) }),
  );

  server.get(
    "/api/v1/deadletters/:id",
    {
      config: { access: "viewer" },
      schema: {
        tags: ["deadletters"],
        summary: "One dead letter with its bytes",
        description:
          "`payload` is text when the bytes are UTF-8, else base64; null when they are no longer kept.",
        params: z.object({ id: z.string() }),
        response: answers("The dead letter.", DeadLetterWithPayload),
      },
    },
    async ({ params: { id } }) => {
      const letter = await port.deadLetters.show(id);
      if (!letter) {
        throw new ProblemError(404, "unknown-dead-letter", `There is no dead letter "${id.slice(0, 64)}".`);
      }
      return { ...letter, payload: letter.payload && readable(letter.payload) };
    },
  );

  server.post(
    "/api/v1/deadletters/replay",
    {
      config: { access: "operator" },
      schema: {
        tags: ["deadletters"],
        summary: "Try dead letters again",
        description:
          "Decodes the kept bytes again, after a change of catalogue or registry. What is still refused stays.",
        body: ReplayFilter,
        response: answers("What became of them, in readings.", Replayed),
      },
    },
    async ({ body }) => port.deadLetters.replay(defined(body)),
  );
}

/** The same without keys that are undefined. */
function defined<Filter extends object>(
  filter: Filter,
): { [Key in keyof Filter]: Exclude<Filter[Key], undefined> } {
  const entries = Object.entries(filter).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Filter]: Exclude<Filter[Key], undefined> };
}

function readable(payload: Uint8Array): NonNullable<DeadLetterWithPayload["payload"]> {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  return isUtf8(bytes)
    ? { encoding: "utf-8", text: bytes.toString("utf8") }
    : { encoding: "base64", text: bytes.toString("base64") };
}
