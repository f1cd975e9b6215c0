import { describe, expect, it } from "vitest";
import { addressIn, saidAddress } from "./address.ts";

const OWN = ["172.17.0.1", "10.0.0.5", "10.0.0.6", "fd00:1::5"];

describe("the address in the fleet's network", () => {
  it.each([
    ["10.0.0.0/24", "10.0.0.5"],
    ["10.0.0.77/24", "10.0.0.5"],
    ["fd00:1::/64", "fd00:1::5"],
    ["192.168.0.0/16", null],
  ])("%s", (network, address) => {
    expect(addressIn(network, OWN)).toBe(address);
  });

  it.each(["10.0.0.0", "10.0.0.0/33", "rack/8", "fd00::/129", ""])("%j is no network", (network) => {
    expect(() => addressIn(network, OWN)).toThrow(`"${network}" is no network; write it like 10.0.0.0/24`);
  });
});

describe("what was said of a host's address", () => {
  it.each([
    ["nothing", null, null, null],
    ["an address alone", "192.0.2.1", null, "192.0.2.1"],
    ["a network alone", null, "10.0.0.0/24", "10.0.0.5"],
    ["an address in the network", "10.0.0.6", "10.0.0.0/24", "10.0.0.6"],
    ["an address outside of the network", "172.17.0.1", "10.0.0.0/24", "10.0.0.5"],
    ["an address that is another machine's", "10.0.0.99", "10.0.0.0/24", "10.0.0.5"],
  ])("%s", (_what, address, network, found) => {
    expect(saidAddress(address, network, OWN)).toBe(found);
  });

  it("a host without an address in the fleet's network says which it has, and does not start", () => {
    expect(() => saidAddress("10.0.0.5", "192.168.0.0/16", OWN)).toThrow(
      "this host has no address in the fleet's network 192.168.0.0/16; it has 172.17.0.1, 10.0.0.5, 10.0.0.6, fd00:1::5",
    );
  });
});
