import { expect, it } from "vitest";
import { inventory } from "./inventory.ts";

const at = (address: string) => inventory.shape.address.safeParse(address).success;

it.each(["127.0.0.1", "gpu-1.internal", "gpu_1", "2001:db8::1", "::ffff:10.0.0.1"])("%s is an address", (address) => {
  expect(at(address)).toBe(true);
});

it.each([
  "",
  "gpu 1",
  "10.0.0.1/8",
  "[::1]",
  "1.2.3.4.5",
  "999.1.1.1",
  "fe80::1%eth0",
  "gpu%",
  "::1::2",
  "10.0.0.1:80",
])("%j is none that others could connect to", (address) => {
  expect(at(address)).toBe(false);
});
