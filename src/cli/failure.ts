import { ApiError, ServerUnreachable } from "../api/client.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

/** Ends a command. `message` says what is wrong, `hint` what to do next. */
export class CliError extends Error {
  override name = "CliError";
  readonly exitCode: ExitCode;
  readonly hint: string | null;
  constructor(exitCode: ExitCode, message: string, hint: string | null = null) {
    super(message);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** What of an error goes to standard error, and how the program ends. */
export interface Failure {
  /** Without the leading `error: `; empty = say nothing. */
  message: string;
  hint: string | null;
  exitCode: ExitCode;
}

/** @param interrupted whether the user has pressed Ctrl-C, which makes an abort an answer rather than an error */
export function failureOf(error: unknown, interrupted: boolean): Failure {
  if (error instanceof CliError) return { message: error.message, hint: error.hint, exitCode: error.exitCode };
  if (interrupted) return { message: "", hint: null, exitCode: EXIT.interrupted };
  if (error instanceof ApiError) return apiFailure(error);
  if (error instanceof ServerUnreachable) {
    return {
      message: error.message,
      hint: "Is it running (`headrace server`)? `headrace login --server URL` or HEADRACE_SERVER names another.",
      exitCode: EXIT.unreachable,
    };
  }
  return { message: error instanceof Error ? error.message : String(error), hint: null, exitCode: EXIT.failed };
}

function apiFailure(error: ApiError): Failure {
  const places = error.issues.map((issue) => `\n  ${issue.path}: ${issue.message}`).join("");
  const message = error.issues.length > 1 ? `${error.message}${places}` : error.message;
  if (error.status === 401) {
    return { message, hint: "Log in again with `headrace login`, or set HEADRACE_TOKEN.", exitCode: EXIT.unauthorized };
  }
  if (error.status === 403) return { message, hint: null, exitCode: EXIT.unauthorized };
  if (error.code === "not_found") return { message, hint: null, exitCode: EXIT.notFound };
  return { message, hint: null, exitCode: EXIT.failed };
}
