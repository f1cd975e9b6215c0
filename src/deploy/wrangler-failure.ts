import { stripVTControlCharacters } from "node:util";
import { blotted } from "../blotted.ts";
import { StartError } from "../node/start-error.ts";

/** Lines of wrangler's that are shown where we do not know what it means. */
const LINES_SHOWN = 8;

/** Its banner, rules and where its log lies: such lines begin with a sign, as those of errors do with a cross. */
const DECORATION = /^(?!\u2718)\P{ASCII}|Logs were written to/u;

/** What wrangler says when it cannot go on, by its own words and the codes of Cloudflare's API, and what to do then. */
const KNOWN: { pattern: RegExp; message: string }[] = [
  {
    pattern: /not authenticated|necessary to set a CLOUDFLARE_API_TOKEN/i,
    message:
      "Nobody is logged in at Cloudflare. Run `npx wrangler login` in the checkout, or set CLOUDFLARE_API_TOKEN to a token " +
      'made from the template "Edit Cloudflare Workers".',
  },
  {
    pattern: /code: (10000|9109|9106|10001)\]|Authentication error|Invalid access token/i,
    message:
      "Cloudflare refuses the login, or it may not do this. An API token needs the permissions of the template " +
      '"Edit Cloudflare Workers" for this account; an old login is renewed by `npx wrangler login`.',
  },
  {
    pattern: /More than one account|mandatory to specify an account ID/i,
    message: "The login has several accounts. Give the id of one with --account; `npx wrangler whoami` lists them.",
  },
  {
    pattern: /register a workers\.dev subdomain/i,
    message:
      "The account has no workers.dev subdomain yet. Open Workers & Pages once in Cloudflare's dashboard, which makes one, " +
      "or give a host name of your own with --domain.",
  },
  {
    pattern: /code: (10027|10072|10097|10195)\]|paid plan|upgrade your plan|exceed(s|ed)? .{0,40}limit/i,
    message:
      "The account's plan is not enough, or a limit of it is reached. docs/edge.md says what Headrace needs of a plan.",
  },
  {
    pattern: /fetch failed|ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN/,
    message: "Cloudflare cannot be reached from this machine. Check its network and proxy settings.",
  },
];

/**
 * What to tell of a run of wrangler that failed: what to do where we know, and its own last lines.
 *
 * @param secrets are blotted out of what it said
 */
export function explained(code: number, output: string, secrets: readonly string[]): StartError {
  const plain = blotted(stripVTControlCharacters(output), secrets, "***");
  const known = KNOWN.find(({ pattern }) => pattern.test(plain));
  const lines = plain.split("\n").map((line) => line.trim());
  const said = lines.filter((line) => line !== "" && !DECORATION.test(line)).slice(-LINES_SHOWN);
  const quoted = said.map((line) => `  ${line}`).join("\n");
  return new StartError(`${known?.message ?? `wrangler ended with exit code ${code}.`} It said:\n${quoted}`);
}
