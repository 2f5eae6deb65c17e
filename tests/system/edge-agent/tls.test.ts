import { afterAll, expect, test } from "vitest";
import { type ConnectionOptions, openConnection } from "#edge-agent/connection.ts";
import { readServerIdentity } from "#runtime/tls.ts";
import { type Certificate, makeAuthority } from "../../support/certificates.ts";
import { poll } from "../../support/poll.ts";
import { tempFolder } from "../../support/temp-folder.ts";
import { openTestBroker } from "../broker/support.ts";

const folder = tempFolder("tls");
afterAll(() => folder[Symbol.dispose]());
const authority = await makeAuthority(folder.path);
const { ca } = authority;
const other = await makeAuthority(folder.path, "other");
const good = await authority.issue("good");
const misnamed = await authority.issue("misnamed", { names: "DNS:elsewhere.example" });
const expired = await authority.issue("expired", { isExpired: true });
const never = new AbortController().signal;

function options(url: string, tls: ConnectionOptions["tls"]): ConnectionOptions {
  return {
    url,
    tls,
    clientId: "corniche-1",
    username: "corniche-1",
    password: "c",
    keepaliveSeconds: 30,
    connectTimeout: 15_000,
    will: { topic: "marsad/mobility/corniche-1/status", payload: Buffer.from("{}") },
    onMessage: () => {},
  };
}

test.for<[string, Certificate, ConnectionOptions["tls"]]>([
  ["the authority's certificate", good, { ca }],
  ["its name in server_name", misnamed, { ca, serverName: "elsewhere.example" }],
])("a broker's certificate is taken with %s", async ([, certificate, tls]) => {
  const { options: shown } = await readServerIdentity(certificate);
  await using gateways = await openTestBroker({ tls: shown, ca });
  const connection = await openConnection(options(`mqtts://127.0.0.1:${gateways.port}`, tls), never);
  await poll(() => gateways.events.includes("+corniche-1"));
  expect([...gateways.broker.connected()]).toMatchObject([{ gateway: { name: "corniche-1" } }]);
  await connection.close(1000);
});

test.for<[string, Certificate, ConnectionOptions["tls"], RegExp]>([
  ["nobody said whom to trust", good, undefined, /authority that is not known here: name that authority's/],
  ["another authority is trusted", good, { ca: other.ca }, /authority that is not known here|not signed by/],
  ["it is for another name", misnamed, { ca }, /for another name \(.*127\.0\.0\.1.*\): connect under a name/],
  ["server_name is another", good, { ca, serverName: "elsewhere.example" }, /for another name \(.*elsewhere/],
  ["it has expired", expired, { ca }, /has expired: renew it there, or set this machine's clock/],
])("it is refused in words when %s", async ([, certificate, tls, words]) => {
  const { options: shown } = await readServerIdentity(certificate);
  await using gateways = await openTestBroker({ tls: shown, ca });
  const connecting = openConnection(options(`mqtts://127.0.0.1:${gateways.port}`, tls), never);
  await expect(connecting).rejects.toThrow(words);
  await expect(connecting).rejects.toMatchObject({ code: "UNREACHABLE" });
  expect([...gateways.broker.connected()]).toEqual([]);
});

test("a broker that does not speak TLS is told as such", async () => {
  await using gateways = await openTestBroker();
  const connecting = openConnection(options(`mqtts://127.0.0.1:${gateways.port}`, { ca }), never);
  await expect(connecting).rejects.toMatchObject({ code: "UNREACHABLE" });
});
