import { STATUS_CODES } from "node:http";
import { z } from "zod";
import type { ErrorCode } from "#runtime/errors.ts";

/** What went wrong, for programs; the HTTP status says how bad, `detail` says it to people. */
export const problemCodes = [
  "bad-request",
  "unknown-measurement",
  "unknown-sensor",
  "unknown-gateway",
  "unknown-dead-letter",
  "unknown-address",
  "ambiguous-sensor",
  "foreign-origin",
  "credentials-needed",
  "credentials-wrong",
  "not-allowed",
  "no-users",
  "too-many-attempts",
  "busy",
  "too-large",
  "refused",
  "not-ready",
  "store-unavailable",
  "timeout",
  "internal",
] as const;
export type ProblemCode = (typeof problemCodes)[number];

/** The one error shape of the API: RFC 9457 problem details (`application/problem+json`). */
export const Problem = z
  .object({
    type: z.literal("about:blank"),
    title: z.string().meta({ description: "The HTTP status in words." }),
    status: z.int().min(400).max(599),
    code: z.enum(problemCodes).meta({ description: "What went wrong, for programs." }),
    detail: z.string().meta({ description: "What went wrong and how to mend it, for people." }),
    nearest: z
      .array(z.string())
      .optional()
      .meta({ description: "Names that exist and look like the one asked for, best first." }),
    errors: z
      .array(z.object({ at: z.string(), detail: z.string() }))
      .optional()
      .meta({ description: "Each parameter or body member that was refused." }),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem details." });
export type Problem = z.infer<typeof Problem>;

export type ProblemExtras = Pick<Problem, "nearest" | "errors">;

/** Thrown by a handler to answer with a problem. */
export class ProblemError extends Error {
  readonly status: number;
  readonly code: ProblemCode;
  readonly extras: ProblemExtras;
  /** Of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: ProblemCode,
    detail: string,
    extras: ProblemExtras = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.name = "ProblemError";
    this.status = status;
    this.code = code;
    this.extras = extras;
    this.headers = headers;
  }
}

export const problemType = "application/problem+json; charset=utf-8";

export function problem(
  status: number,
  code: ProblemCode,
  detail: string,
  extras: ProblemExtras = {},
): Problem {
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, code, detail, ...extras };
}

/** fastify's own errors carry a `statusCode`; its validation errors the list of what was refused. */
interface FrameworkError {
  readonly statusCode?: number;
  readonly validation?: readonly { readonly instancePath: string; readonly message?: string }[];
  readonly validationContext?: string;
}

/** Any error a request can end in, as the problem that is sent. What is not foreseen says nothing of the inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return problem(error.status, error.code, error.message, error.extras);
  if (!(error instanceof Error)) return unforeseen();
  const world = worldProblem(error);
  if (world) return world;
  const { statusCode, validation } = error as FrameworkError;
  if (validation) return refusedInput(validation);
  if (statusCode === 413) return problem(413, "too-large", error.message);
  if (statusCode === 503) return problem(503, "timeout", "The answer took too long; ask for less at once.");
  if (statusCode !== undefined && statusCode < 500) return problem(statusCode, "bad-request", error.message);
  return unforeseen();
}

/** What a broken world looks like from outside; every other code is the platform's own affair. */
const worldProblems: Partial<Record<ErrorCode, { readonly status: number; readonly code: ProblemCode }>> = {
  STORE_UNAVAILABLE: { status: 503, code: "store-unavailable" },
  STORE_FULL: { status: 503, code: "store-unavailable" },
  REFUSED: { status: 409, code: "refused" },
  ALREADY_EXISTS: { status: 409, code: "refused" },
};

/** By the error's `code`, so that one that crossed a thread counts too. */
function worldProblem(error: Error): Problem | undefined {
  const world = "code" in error ? worldProblems[error.code as ErrorCode] : undefined;
  return world && problem(world.status, world.code, error.message);
}

function refusedInput(validation: NonNullable<FrameworkError["validation"]>): Problem {
  const errors = validation.map(({ instancePath, message }) => ({
    at: instancePath.slice(1).replaceAll("/", "."),
    detail: message ?? "is not valid",
  }));
  const detail = errors.map((error) => (error.at ? `${error.at}: ${error.detail}` : error.detail)).join("; ");
  return problem(400, "bad-request", detail, { errors });
}

function unforeseen(): Problem {
  return problem(500, "internal", "The platform failed to answer; its log says why.");
}
