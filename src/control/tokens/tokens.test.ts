import { expect, test } from "vitest";
import { makeToken, tokenHash } from "./tokens.ts";

test("a token says its kind and carries 256 bits that no other has", () => {
  expect(makeToken("admin")).toMatch(/^hra_[A-Za-z0-9_-]{43}$/);
  expect(makeToken("member")).toMatch(/^hrm_[A-Za-z0-9_-]{43}$/);
  expect(makeToken("join")).toMatch(/^hrj_[A-Za-z0-9_-]{43}$/);
  expect(makeToken("host")).toMatch(/^hrh_[A-Za-z0-9_-]{43}$/);
  expect(new Set(Array.from({ length: 100 }, () => makeToken("host"))).size).toBe(100);
});

test("a token is kept as the SHA-256 of the whole of it", async () => {
  // Known answer of FIPS 180-2.
  expect(await tokenHash("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
