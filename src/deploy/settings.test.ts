import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "./root.ts";
import { deploySettings } from "./settings.ts";
import { workerSecrets } from "./worker-secrets.ts";

const HOME = "/home/someone";
const ENV = { HEADRACE_DATABASE_URL: "libsql://db.example.com", HEADRACE_DATABASE_TOKEN: "t" };

test("names, places and secrets have defaults, or come from the environment", () => {
  expect(deploySettings({}, ENV, HOME)).toMatchObject({
    name: "headrace",
    account: null,
    domain: null,
    database: { url: "libsql://db.example.com", token: "t" },
    key: null,
    keyFile: "/home/someone/.config/headrace/key",
    warnings: [],
  });
  const account = "0123456789abcdef".repeat(2);
  expect(deploySettings({}, { ...ENV, CLOUDFLARE_ACCOUNT_ID: account }, HOME).account).toBe(account);
});

test("the agent that hosts get is what the operator names", () => {
  const url = `https://d.example/agents/${"0f".repeat(32)}.tar.gz`;
  const settings = deploySettings({}, { ...ENV, HEADRACE_AGENT_URL: url }, HOME);
  expect(workerSecrets(settings, []).HEADRACE_AGENT_URL).toBe(url);
  expect(workerSecrets(deploySettings({}, ENV, HOME), [])).not.toHaveProperty("HEADRACE_AGENT_URL");
});

describe("refused:", () => {
  test("an address of an agent that is none", () => {
    const env = { ...ENV, HEADRACE_AGENT_URL: "https://d.example" };
    expect(() => deploySettings({}, env, HOME)).toThrowError("is no address of an agent");
  });

  test("no database", () => {
    expect(() => deploySettings({}, {}, HOME)).toThrowError("Give its address in HEADRACE_DATABASE_URL");
  });

  test.each(["postgres://db", "db.example.com", "libsql://"])("a database at %s", (databaseUrl) => {
    expect(() => deploySettings({ databaseUrl }, {}, HOME)).toThrowError("must be like libsql://name.example.com");
  });

  test("a token in the address, which is not repeated", () => {
    const deployment = () => deploySettings({ databaseUrl: "libsql://db.example.com?authToken=secret" }, {}, HOME);
    expect(deployment).toThrowError(/^(?!.*secret).*HEADRACE_DATABASE_TOKEN/);
  });

  test.each([
    { name: "Head_Race" },
    { name: "-x" },
    { account: "mine" },
    { domain: "https://example.com" },
    { domain: "localhost" },
  ])("%o", (flags) => {
    expect(() => deploySettings(flags, ENV, HOME)).toThrowError(`--${Object.keys(flags)[0]} is "`);
  });

  test("a key file in the checkout", () => {
    const env = { ...ENV, HEADRACE_KEY_FILE: join(ROOT, "secrets", "key") };
    expect(() => deploySettings({}, env, HOME)).toThrowError("lies in the checkout");
  });
});

test.each(["http://localhost:8080", "http://10.1.2.3", "http://[::1]:8080"])(
  "a database at %s is warned of: no Worker reaches it",
  (databaseUrl) => {
    expect(deploySettings({ databaseUrl }, {}, HOME).warnings).toEqual([expect.stringContaining("do not reach")]);
  },
);
