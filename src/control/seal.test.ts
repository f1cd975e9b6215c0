import { describe, expect, test } from "vitest";
import { createSealer } from "./seal.ts";

const key = (fill: number) => new Uint8Array(32).fill(fill);
const NAME = "env/llama/1/HF_TOKEN";

describe("seal and open", () => {
  test("what was sealed opens to what it was, whatever it is", async () => {
    const sealer = await createSealer([key(1)]);
    for (const plain of ["", "hf_abc", "zeile\nünïcödé \u0000 🙂", "x".repeat(64 * 1024)]) {
      const secret = await sealer.seal("main", NAME, plain);
      expect(secret.name).toBe(NAME);
      expect(await sealer.open("main", secret)).toBe(plain);
      if (plain) expect(JSON.stringify(secret)).not.toContain(plain);
    }
  });

  test("the same value sealed twice looks different, with the same version", async () => {
    const sealer = await createSealer([key(1)]);
    const [first, second] = [await sealer.seal("main", NAME, "v"), await sealer.seal("main", NAME, "v")];
    expect(first.sealed).not.toBe(second.sealed);
    expect(first.version).toBe(second.version);
  });

  test("versions tell values apart, and those of two projects never match", async () => {
    const sealer = await createSealer([key(1)]);
    const { version } = await sealer.seal("main", NAME, "v");
    expect((await sealer.seal("main", "env/llama/2/HF_TOKEN", "v")).version).toBe(version);
    expect((await sealer.seal("main", NAME, "w")).version).not.toBe(version);
    expect((await sealer.seal("other", NAME, "v")).version).not.toBe(version);
  });

  test("a row that was altered or moved to another name or project does not open", async () => {
    const sealer = await createSealer([key(1)]);
    const secret = await sealer.seal("main", NAME, "v");
    const flipped = (secret.sealed.startsWith("A") ? "B" : "A") + secret.sealed.slice(1);
    const attempts = await Promise.allSettled([
      sealer.open("other", secret),
      sealer.open("main", { ...secret, name: "env/llama/2/HF_TOKEN" }),
      sealer.open("main", { ...secret, sealed: flipped }),
      sealer.open("main", { ...secret, sealed: secret.sealed.slice(0, 8) }),
      sealer.open("main", { ...secret, sealed: "not base64!" }),
    ]);
    for (const attempt of attempts) {
      const message = expect.stringMatching(/^The secret env\/llama\/\d\/HF_TOKEN of project \w+ does not open/);
      expect(attempt).toMatchObject({ status: "rejected", reason: { name: "SealError", message } });
    }
  });
});

describe("rotation", () => {
  test("a new key in front seals, the old one behind it still opens", async () => {
    const before = await createSealer([key(1)]);
    const after = await createSealer([key(2), key(1)]);
    const old = await before.seal("main", NAME, "v");
    const fresh = await after.seal("main", NAME, "v");
    expect(fresh.keyId).not.toBe(old.keyId);
    expect(await after.open("main", old)).toBe("v");
    expect(await after.open("main", fresh)).toBe("v");
  });

  test("a value that did not change is known as such across keys", async () => {
    const old = await (await createSealer([key(1)])).seal("main", NAME, "v");
    const after = await createSealer([key(2), key(1)]);
    expect(await after.matches("main", old.version, "v")).toBe(true);
    expect(await after.matches("main", old.version, "w")).toBe(false);
    expect(await (await createSealer([key(2)])).matches("main", old.version, "v")).toBe(false);
  });

  test("what was derived is derived again, by the old key behind the new one too", async () => {
    const [before] = await (await createSealer([key(1)])).derive("main", "token");
    const after = await (await createSealer([key(2), key(1)])).derive("main", "token");
    expect(after).toHaveLength(2);
    expect(after[1]).toEqual(before);
    expect(after[0]).not.toEqual(before);
    expect(await (await createSealer([key(1)])).derive("other", "token")).not.toEqual([before]);
    expect(await (await createSealer([key(1)])).derive("main", "another")).not.toEqual([before]);
  });

  test("a key that is gone is named, with what to do", async () => {
    const secret = await (await createSealer([key(1)])).seal("main", NAME, "v");
    const without = await createSealer([key(2)]);
    await expect(without.open("main", secret)).rejects.toThrowError(
      `The secret ${NAME} of project main was sealed with key ${secret.keyId}, which this server does not have.`,
    );
  });
});

test("a key of another length, or none, is refused without showing it", async () => {
  await expect(createSealer([new Uint8Array(16).fill(65)])).rejects.toThrowError(
    "A sealing key has 32 bytes, this one has 16.",
  );
  await expect(createSealer([])).rejects.toThrowError("There is no key to seal secrets with.");
});

test("a key's id does not change between versions of Headrace, or nothing sealed would open", async () => {
  const { keyId, version } = await (await createSealer([key(7)])).seal("main", NAME, "v");
  expect({ keyId, version }).toMatchInlineSnapshot(`
    {
      "keyId": "fe2174711e6d5e69",
      "version": "e436cc42f4367afb62f2fb6f3559a50dcadb3a6f72c708e82896ba5f41d27e0c",
    }
  `);
});
