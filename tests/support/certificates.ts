import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface IssueOptions {
  /** As `subjectAltName` has them. */
  readonly names?: string;
  readonly isExpired?: boolean;
}

/** An authority of the test's own, made with openssl in the test's folder. */
export interface Authority {
  readonly file: string;
  /** For TLS clients. */
  readonly ca: Buffer;
  /** @param name  Of the files. */
  issue(name: string, options?: IssueOptions): Promise<Certificate>;
}

export async function makeAuthority(folder: string, name = "ca"): Promise<Authority> {
  const file = join(folder, `${name}.pem`);
  const caKey = join(folder, `${name}.key`);
  const subject = ["-subj", `/CN=${name}`];
  await run("openssl", [
    "req",
    "-x509",
    ...newKey,
    "-days",
    "30",
    ...subject,
    "-keyout",
    caKey,
    "-out",
    file,
  ]);
  const signed = ["-CA", file, "-CAkey", caKey];
  return {
    file,
    ca: readFileSync(file),
    async issue(issued, { names = "DNS:localhost,IP:127.0.0.1", isExpired = false } = {}) {
      const cert = join(folder, `${issued}.pem`);
      const key = join(folder, `${issued}.key`);
      const who = ["-subj", `/CN=${issued}`, "-addext", `subjectAltName=${names}`];
      const made = ["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key];
      if (!isExpired) {
        await run("openssl", [
          "req",
          "-x509",
          ...signed,
          ...newKey,
          "-days",
          "30",
          ...who,
          ...made,
          "-out",
          cert,
        ]);
        return { cert, key };
      }
      const request = join(folder, `${issued}.csr`);
      await run("openssl", ["req", ...newKey, ...who, ...made, "-out", request]);
      const past = ["-days", "-1", "-copy_extensions", "copy"];
      await run("openssl", ["x509", "-req", "-in", request, ...signed, ...past, "-out", cert]);
      return { cert, key };
    },
  };
}
