import { type JoinAnswer, type JoinRequest, joinAnswer } from "../../src/wire/index.ts";
import { chooseCredential, forgetChoice, sha256Hex } from "./chosen-credential.ts";
import { type HostCredential, readCredential, writeCredential } from "./credential.ts";
import { AnswerTooLarge, sendRequest } from "./http-request.ts";
import { reasonOf } from "./log.ts";

const JOIN_TIMEOUT_MS = 30_000;
/** The answer is a handful of short names. */
const ANSWER_BYTES_MAX = 64 * 1024;

interface JoinOptions {
  /** `http://` or `https://`, without a path. */
  server: string;
  dataDir: string;
  /** null: this agent must have joined before. */
  token: string | null;
  /** The one that the host is meant for; null = the token's. */
  fleet: string | null;
  request: () => Promise<Omit<JoinRequest, "credentialHash" | "fleet">>;
}

/** The server said no: nothing has come of the join. After any other error it may have, and the same join goes on. */
export class JoinRefused extends Error {
  override name = "JoinRefused";
}

/**
 * Joins once. An agent that has a credential keeps it, whatever token it is given.
 * @throws JoinRefused for a token that is not accepted; Error for people: no token, another server or fleet than before,
 *   no server
 */
export async function ensureJoined(options: JoinOptions): Promise<{ host: HostCredential; joined: boolean }> {
  const known = await readCredential(options.dataDir);
  if (known !== null) {
    if (known.server !== options.server) {
      throw new JoinRefused(
        `This agent joined ${known.server} and not ${options.server}. Name that server, or use another data folder ` +
          `(this one is ${options.dataDir}).`,
      );
    }
    if (options.fleet !== null && known.fleet !== options.fleet) {
      throw new JoinRefused(
        `This host is in the fleet ${known.fleet} and not in ${options.fleet}. To move it, take it out first ` +
          "(headrace host leave), then join anew.",
      );
    }
    return { host: known, joined: false };
  }
  if (options.token === null) {
    throw new JoinRefused(
      "This host has not joined yet: it needs a join token. Make one with `headrace host join` and give it " +
        "in HEADRACE_JOIN_TOKEN.",
    );
  }
  const credential = await chooseCredential(options.dataDir, options.server);
  const meant = options.fleet === null ? {} : { fleet: options.fleet };
  const request = { ...(await options.request()), ...meant, credentialHash: sha256Hex(credential) };
  const host = { ...(await join(options.server, options.token, request)), server: options.server, credential };
  await writeCredential(options.dataDir, host);
  await forgetChoice(options.dataDir);
  return { host, joined: true };
}

async function join(server: string, token: string, body: JoinRequest): Promise<JoinAnswer> {
  const { status, text } = await sendRequest(`${server}/agent/join`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(JOIN_TIMEOUT_MS),
    answerBytesMax: ANSWER_BYTES_MAX,
    agent: false,
  }).catch((error) => {
    if (error instanceof AnswerTooLarge) throw notHeadrace(server);
    throw new Error(`The server ${server} cannot be reached: ${reasonOf(error)}.`);
  });
  // Too many requests at once is no answer about the token.
  if (status >= 400 && status < 500 && status !== 429) throw new JoinRefused(refusalText(server, status, text));
  if (status < 200 || status > 299) throw new Error(refusalText(server, status, text));
  const parsed = joinAnswer.safeParse(parseJson(text));
  if (!parsed.success) throw notHeadrace(server);
  return parsed.data;
}

function notHeadrace(server: string): Error {
  return new Error(`${server} answered, but not as a Headrace server. Check the address.`);
}

function refusalText(server: string, status: number, text: string): string {
  const answer = parseJson(text) as { error?: { message?: unknown } } | null;
  const said = typeof answer?.error?.message === "string" ? ` It says: ${answer.error.message}` : "";
  if (status === 401 || status === 403) {
    return (
      `The server ${server} does not accept this join token (${status}): it is wrong, used or expired. ` +
      `Make a new one with \`headrace host join\`.${said}`
    );
  }
  return `The server ${server} refused to let this host join (${status}).${said}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
