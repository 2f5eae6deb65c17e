import type { FastifyReply } from "fastify";

/** Aborts when the client is gone before its answer is. Not `request.signal`: that one also aborts once a body has been read. */
export function clientSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (raw.destroyed) gone.abort();
  else raw.once("close", () => gone.abort());
  return gone.signal;
}
