#!/usr/bin/env node
// Stands for wrangler where an account would be needed. FAKE_CLOUDFLARE names a folder, which stands for the account:
// `calls` gets a line for each run, `secrets.json` what the Worker was given, `refusal` holds what to fail with.
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const account = process.env.FAKE_CLOUDFLARE ?? "";
const args = process.argv.slice(2);
const at = args.indexOf("--secrets-file");
const secretsFile = at === -1 ? undefined : args[at + 1];
const call = {
  args,
  variables: process.env,
  secretsMode: secretsFile === undefined ? null : statSync(secretsFile).mode & 0o777,
};
appendFileSync(join(account, "calls"), `${JSON.stringify(call)}\n`);
if (args[0] === "whoami") {
  process.stdout.write(readFileSync(join(account, "whoami.json"), "utf8"));
} else if (existsSync(join(account, "refusal"))) {
  process.stderr.write(readFileSync(join(account, "refusal"), "utf8"));
  // As a wrangler would that tells too much.
  if (secretsFile !== undefined) process.stderr.write(readFileSync(secretsFile, "utf8"));
  process.exitCode = 1;
} else if (secretsFile !== undefined) {
  writeFileSync(join(account, "secrets.json"), readFileSync(secretsFile));
  const targets = ["schedule: * * * * *", readFileSync(join(account, "address"), "utf8")];
  writeFileSync(
    process.env.WRANGLER_OUTPUT_FILE_PATH ?? "",
    `${JSON.stringify({ type: "deploy", version: 1, targets })}\n`,
  );
}
