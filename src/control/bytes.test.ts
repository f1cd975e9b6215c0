import { expect, test } from "vitest";
import { fromBase64Url, toBase64Url, toHex } from "./bytes.ts";

test("bytes of every value survive base64url, whatever the length", () => {
  for (let length = 0; length < 260; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => 255 - index);
    expect(toBase64Url(bytes)).toBe(Buffer.from(bytes).toString("base64url"));
    expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
  }
});

test("plain base64 with padding is taken too, anything else is not", () => {
  expect(fromBase64Url("+/8=")).toEqual(Uint8Array.from([251, 255]));
  expect(() => fromBase64Url("no!")).toThrow();
});

test("hex keeps leading zeros", () => {
  expect(toHex(Uint8Array.from([0, 10, 255]))).toBe("000aff");
});
