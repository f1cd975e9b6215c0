import type { LinkAnswer } from "../../src/link/types.ts";
import { REFUSED_HEADER, type RefusedBecause } from "../../src/wire/index.ts";

const TYPES = {
  400: "invalid_request_error",
  404: "not_found_error",
  421: "misdirected_request_error",
  502: "upstream_error",
  504: "timeout_error",
} as const;

/** An answer of the agent's own, worded as OpenAI's API words errors, since it may reach that API's clients. */
export function refusal(status: keyof typeof TYPES, code: string, message: string): LinkAnswer {
  return {
    head: { status, headers: [["content-type", "application/json"]] },
    body: new TextEncoder().encode(JSON.stringify({ error: { message, type: TYPES[status], param: null, code } })),
  };
}

/** Says that no replica has seen the request. */
export function refused(because: RefusedBecause, message: string): LinkAnswer {
  const answer = refusal(421, `replica_${because}`, message);
  answer.head.headers.push([REFUSED_HEADER, because]);
  return answer;
}
