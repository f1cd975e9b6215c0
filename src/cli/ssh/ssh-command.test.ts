import { homedir } from "node:os";
import { expect, test } from "vitest";
import type { SshHost } from "../../spec/types-fleet.ts";
import { keyFile, sshArguments } from "./ssh-command.ts";

const HOST: SshHost = {
  hostname: "gpu-7",
  port: null,
  user: "ubuntu",
  identityFile: "/keys/gpu",
  proxyJump: null,
  internalIp: null,
  blocks: null,
};
const OPTIONS = { folder: "/fleet", config: null, acceptNew: false };
const SETTINGS =
  "-o BatchMode=yes -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes -o ConnectTimeout=20 " +
  "-o ServerAliveInterval=15 -o ServerAliveCountMax=4 -o LogLevel=ERROR";

test("a host is reached with the key of the file, and asked nothing", () => {
  expect(sshArguments(HOST, "sh -s", OPTIONS).join(" ")).toBe(`-T ${SETTINGS} -i /keys/gpu -l ubuntu -- gpu-7 sh -s`);
});

test("a jump has a port, a user and a key of its own", () => {
  const proxyJump = { hostname: "jump", port: 2222, user: "j", identityFile: "it's %h" };
  const args = sshArguments({ ...HOST, port: 22, proxyJump }, "sudo -n sh -s", OPTIONS);
  expect(args.at(-4)).toBe(`ProxyCommand=ssh ${SETTINGS} -i '/fleet/it'\\''s %%h' -p 2222 -l j -W [%h]:%p -- jump`);
  expect(args.slice(-3)).toEqual(["--", "gpu-7", "sudo -n sh -s"]);
  expect(args.join(" ")).toContain("-i /keys/gpu -p 22 -l ubuntu -o ProxyCommand=");
});

test("another configuration and trust in new hosts hold for the jump too", () => {
  const proxyJump = { hostname: "jump", port: null, user: "j", identityFile: "k" };
  const options = { folder: "/fleet", config: "/etc/own", acceptNew: true };
  const text = sshArguments({ ...HOST, proxyJump }, "sh", options).join(" ");
  expect(text.match(/-F \/etc\/own/g)).toHaveLength(2);
  expect(text.match(/StrictHostKeyChecking=accept-new/g)).toHaveLength(2);
});

test("key files are relative to the file's folder, or in the home of whoever applies", () => {
  expect(keyFile("id", "/fleet")).toBe("/fleet/id");
  expect(keyFile("~/.ssh/id", "/fleet")).toBe(`${homedir()}/.ssh/id`);
  expect(keyFile("/id", "/fleet")).toBe("/id");
});
