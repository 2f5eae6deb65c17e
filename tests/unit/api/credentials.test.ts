import fastify from "fastify";
import { describe, expect, test } from "vitest";
import { authorizationOf, type Credentials, credentialsOf } from "#api/credentials.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

const basic = (name: string, password: string): Credentials => ({ kind: "basic", name, password });
const token = (text: string): Credentials => ({ kind: "token", token: text });

describe("the Authorization header", () => {
  test.each<[string | undefined, Credentials | undefined]>([
    [undefined, undefined],
    ["", undefined],
    ["Basic", undefined],
    [`Basic ${base64("no colon")}`, undefined],
    ["Digest username=x", undefined],
    [`Basic ${base64("gw-1:a:b c")}`, basic("gw-1", "a:b c")],
    [`basic  ${base64("مرصد:كلمة")}`, basic("مرصد", "كلمة")],
    [`Basic ${base64(":only-a-password")}`, basic("", "only-a-password")],
    ["Token gw-1:secret", basic("gw-1", "secret")],
    ["Bearer gw-1:secret", basic("gw-1", "secret")],
    ["Token abc-DEF_1.2", token("abc-DEF_1.2")],
    ["BEARER abc", token("abc")],
    ["Token two words", undefined],
  ])("%s", (header, credentials) => {
    expect(authorizationOf(header)).toEqual(credentials);
  });
});

test("u and p in the URL count before the header, and only where the route takes them", async () => {
  await using server = Object.assign(fastify(), {
    [Symbol.asyncDispose]: async () => await server.close(),
  });
  server.get("/query", { config: { urlCredentials: true } }, (request) => credentialsOf(request) ?? null);
  server.get("/other", (request) => credentialsOf(request) ?? null);
  const headers = { authorization: `Basic ${base64("header:one")}` };
  const ask = async (url: string): Promise<unknown> => (await server.inject({ url, headers })).json();

  expect(await ask("/query?u=url&p=two")).toEqual({ kind: "basic", name: "url", password: "two" });
  expect(await ask("/query?u=url&u=again&p=two&p=")).toEqual({ kind: "basic", name: "url", password: "two" });
  const others = await Promise.all(
    ["/query?u=url", "/query?u=&p=two", "/query", "/other?u=url&p=two"].map(ask),
  );
  expect(new Set(others.map((other) => JSON.stringify(other)))).toEqual(
    new Set([JSON.stringify({ kind: "basic", name: "header", password: "one" })]),
  );
});
