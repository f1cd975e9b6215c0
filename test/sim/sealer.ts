import { createHash } from "node:crypto";
import type { Sealer } from "../../src/control/seal.ts";

const KEY_ID = "sim";

/**
 * Sealing without the platform's asynchronous cryptography, whose answers would come in an order of their own. It hides
 * nothing; src/control/seal.test.ts is about that.
 */
export const simSealer: Sealer = {
  version: async (project, plain) => versionOf(project, plain),
  seal: async (project, name, plain) => ({
    name,
    version: versionOf(project, plain),
    keyId: KEY_ID,
    sealed: JSON.stringify([project, name, plain]),
  }),
  async open(project, { name, sealed }) {
    const [sealedFor, sealedAs, plain] = JSON.parse(sealed) as [string, string, string];
    if (sealedFor !== project || sealedAs !== name) throw new Error(`the sealed value ${name} belongs elsewhere`);
    return plain;
  },
  matches: async (project, version, plain) => version === versionOf(project, plain),
  derive: async (project, name) => [
    createHash("sha256")
      .update(JSON.stringify(["derive", project, name]))
      .digest(),
  ],
};

function versionOf(project: string, plain: string): string {
  return createHash("sha256")
    .update(JSON.stringify([project, plain]))
    .digest("hex");
}
