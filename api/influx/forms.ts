import type { FastifyRequest } from "fastify";
import type { ApiServer } from "../context.ts";

/** Bodies with parameters become objects; what is sent several times counts once, the first time. Other bodies are nothing. */
export function readForms(server: ApiServer): void {
  server.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    (_request, body, done) => done(null, firsts(new URLSearchParams(body.toString()))),
  );
  server.addContentTypeParser(
    "multipart/form-data",
    { parseAs: "buffer" },
    async (request: FastifyRequest, body: Buffer<ArrayBuffer>) => {
      const headers = { "content-type": request.headers["content-type"] ?? "" };
      const form = await new Response(body, { headers }).formData().catch(() => {
        throw Object.assign(new Error("the multipart form cannot be read"), { statusCode: 400 });
      });
      const texts = Array.from(form, async ([name, value]): Promise<[string, string]> => [
        name,
        typeof value === "string" ? value : await value.text(), // a query as a file: curl -F q=@queries.txt
      ]);
      return firsts(await Promise.all(texts));
    },
  );
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, _body, done) => done(null));
}

function firsts(parameters: Iterable<[string, string]>): Record<string, string> {
  return Object.fromEntries(Array.from(parameters).toReversed());
}
