import * as z from "zod";

/** The stored shape of what a fleet's file says, schema 6 of `fleet`; apart from the language for the reason in shapes-spec. */

const blocks = z.union([z.number(), z.literal("auto")]);

export const fleetSettings = z.strictObject({
  placement: z.enum(["any", "cluster"]),
  blocks,
  overcommit: z.boolean(),
  allow: z.strictObject({ privileged: z.boolean(), hostPaths: z.array(z.string()), processes: z.boolean() }),
  agentVersion: z.string(),
});

const login = {
  hostname: z.string(),
  port: z.number().nullable(),
  user: z.string(),
  identityFile: z.string(),
};

export const fleetHosts = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("joined") }),
  z.strictObject({
    kind: z.literal("ssh"),
    env: z.record(z.string(), z.string().nullable()),
    network: z.string().nullable(),
    hosts: z.array(
      z.strictObject({
        ...login,
        proxyJump: z.strictObject(login).nullable(),
        internalIp: z.string().nullable(),
        blocks: blocks.nullable(),
      }),
    ),
  }),
]);
