import type { SealedSecret } from "../store/types.ts";
import { fromBase64Url, toBase64Url, toHex } from "./bytes.ts";

/** Length of a sealing key: AES-256 and HMAC-SHA-256 both take it whole. */
export const SEALING_KEY_BYTES = 32;

/** A sealed value that cannot be opened. The message names it and never says anything of what is in it. */
class SealError extends Error {
  override name = "SealError";
}

/**
 * Seals values with a key that is not in the database. A sealed value is bound to its project and name: a row copied
 * to another name or project does not open.
 */
export interface Sealer {
  /** What `seal` would give the value as its version: equal values of a project have equal ones. */
  version(project: string, plain: string): Promise<string>;
  /** Seals with the current key. */
  seal(project: string, name: string, plain: string): Promise<SealedSecret>;
  /** @throws SealError when the key is not among ours, or the row was altered or belongs elsewhere */
  open(project: string, secret: SealedSecret): Promise<string>;
  /**
   * Whether one of our keys gives `plain` this version. It is true across a rotation of keys, after which versions made
   * by the old and by the new key differ.
   */
  matches(project: string, version: string, plain: string): Promise<boolean>;
  /**
   * 32 bytes for a name, the same whenever they are asked for and beyond guessing for whoever has none of our keys. One
   * answer for each key, the current one's first.
   */
  derive(project: string, name: string): Promise<Uint8Array[]>;
}

/**
 * @param keys of 32 bytes. The first seals, all of them open: to rotate, put a new one in front.
 */
export async function createSealer(keys: readonly Uint8Array<ArrayBuffer>[]): Promise<Sealer> {
  const [current, ...older] = await Promise.all(keys.map(deriveKeys));
  if (!current) throw new SealError("There is no key to seal secrets with.");
  // The current one last, so that it wins should an older one be the same.
  const byId = new Map([...older, current].map((each) => [each.id, each]));

  return {
    version: (project, plain) => versionOf(current, project, plain),

    async seal(project, name, plain) {
      // 96 random bits; a key may seal 2^32 values before two of them are likely enough to matter.
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const additionalData = encoded(project, name);
      const text = new TextEncoder().encode(plain);
      const box = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, current.sealing, text);
      const sealed = new Uint8Array(IV_BYTES + box.byteLength);
      sealed.set(iv);
      sealed.set(new Uint8Array(box), IV_BYTES);
      const version = await versionOf(current, project, plain);
      return { name, version, keyId: current.id, sealed: toBase64Url(sealed) };
    },

    async open(project, { name, keyId, sealed }) {
      const keys = byId.get(keyId);
      if (!keys) {
        throw new SealError(
          `The secret ${name} of project ${project} was sealed with key ${keyId}, which this server does not have. ` +
            "Add that key after the current one in HEADRACE_KEY or the key file, or apply the service again.",
        );
      }
      try {
        const bytes = fromBase64Url(sealed);
        const iv = bytes.subarray(0, IV_BYTES);
        const additionalData = encoded(project, name);
        const box = bytes.subarray(IV_BYTES);
        const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, keys.sealing, box);
        return new TextDecoder().decode(text);
      } catch {
        throw new SealError(
          `The secret ${name} of project ${project} does not open: its row was altered. Apply the service again.`,
        );
      }
    },

    async matches(project, version, plain) {
      for (const keys of [current, ...older]) if ((await versionOf(keys, project, plain)) === version) return true;
      return false;
    },

    derive: (project, name) =>
      Promise.all(
        [current, ...older].map(
          async ({ derived }) => new Uint8Array(await crypto.subtle.sign("HMAC", derived, encoded(project, name))),
        ),
      ),
  };
}

const IV_BYTES = 12;

interface Keys {
  id: string;
  sealing: CryptoKey;
  versions: CryptoKey;
  derived: CryptoKey;
}

/** Each use gets a key of its own, so that none says anything of another; the id is as one-way as the rest. */
async function deriveKeys(secret: Uint8Array<ArrayBuffer>): Promise<Keys> {
  if (secret.length !== SEALING_KEY_BYTES) {
    throw new SealError(`A sealing key has ${SEALING_KEY_BYTES} bytes, this one has ${secret.length}.`);
  }
  const root = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const derive = async (use: string, bytes: number) => {
    const info = new TextEncoder().encode(`headrace ${use}`);
    return crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info }, root, bytes * 8);
  };
  const [id, sealing, versions, derived] = await Promise.all([
    derive("key id", 8),
    derive("seal", 32),
    derive("version", 32),
    derive("derive", 32),
  ]);
  const hmac = (bits: ArrayBuffer) =>
    crypto.subtle.importKey("raw", bits, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return {
    id: toHex(new Uint8Array(id)),
    sealing: await crypto.subtle.importKey("raw", sealing, "AES-GCM", false, ["encrypt", "decrypt"]),
    versions: await hmac(versions),
    derived: await hmac(derived),
  };
}

/** Equal values have equal versions within a project, whatever their names, so that revisions can be compared. */
async function versionOf(keys: Keys, project: string, plain: string): Promise<string> {
  const mac = await crypto.subtle.sign("HMAC", keys.versions, encoded(project, plain));
  return toHex(new Uint8Array(mac));
}

/** JSON, because it keeps apart what joined text would not. */
function encoded(...parts: string[]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(parts));
}
