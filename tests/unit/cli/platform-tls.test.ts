import { expect, test } from "vitest";
import { PlatformConfig } from "#cli/platform/config.ts";
import { refuseOpenAddress, tlsFiles } from "#cli/platform/tls.ts";

const both = [false, true];
const hosts = ["127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "10.0.0.5", "platform.example"];
const cases = hosts.flatMap((host) =>
  both.flatMap((tls) => both.map((behindProxy) => ({ host, tls, behindProxy }))),
);
const isOpen = ({ host, tls, behindProxy }: (typeof cases)[number]): boolean =>
  hosts.indexOf(host) > 2 && !tls && !behindProxy;

test.each(cases.filter(isOpen))("$host without TLS and without a proxy is refused", ({ host, ...given }) => {
  expect(() => refuseOpenAddress(host, given)).toThrow(/--tls-cert and --tls-key.*--behind-proxy/);
});

test.each(cases.filter((one) => !isOpen(one)))(
  "$host is listened on: TLS $tls, behind a proxy $behindProxy",
  ({ host, ...given }) => {
    expect(() => refuseOpenAddress(host, given)).not.toThrow();
  },
);

test.each([
  { tls_cert: "c" },
  { tls_key: "k" },
  { tls_client_ca: "a" },
  { tls_cert: "c", tls_client_ca: "a" },
])("%j alone encrypts nothing", (given) => {
  expect(() => tlsFiles(PlatformConfig.parse(given))).toThrow(/alone encrypts nothing/);
});

test("none of the files is no TLS, and two are enough", () => {
  expect(tlsFiles(PlatformConfig.parse({}))).toBeUndefined();
  expect(tlsFiles(PlatformConfig.parse({ tls_cert: "c", tls_key: "k" }))).toEqual({ cert: "c", key: "k" });
});
