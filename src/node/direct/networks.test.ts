import { describe, expect, it } from "vitest";
import { DirectNetworks } from "./networks.ts";

const parse = (written: string) => DirectNetworks.parse(written, "--direct");

describe("the networks of a fleet", () => {
  it("are those that are stated, for that fleet of that project alone", () => {
    const networks = parse("main/gpu=10.1.0.0/16+192.0.2.7+fd12::/16, other/default=10.2.0.0/16");
    expect(networks.fleets).toEqual(["main/gpu", "other/default"]);
    expect(networks.allows("main", "gpu", "10.1.2.3")).toBe(true);
    expect(networks.allows("main", "gpu", "192.0.2.7")).toBe(true);
    expect(networks.allows("main", "gpu", "fd12::1")).toBe(true);
    expect(networks.allows("main", "gpu", "10.2.0.1")).toBe(false);
    expect(networks.allows("main", "gpu", "192.0.2.8")).toBe(false);
    expect(networks.allows("main", "default", "10.1.2.3")).toBe(false);
    expect(networks.allows("other", "default", "10.2.0.1")).toBe(true);
    expect(parse("").fleets).toEqual([]);
  });

  it.each([
    "127.0.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "224.0.0.1",
    "100.100.100.200",
    "::1",
    "fe80::1",
    "fd00:ec2::254",
  ])("do not hold %s for being large", (address) => {
    expect(parse("main/gpu=0.0.0.0/0+::/0").allows("main", "gpu", address)).toBe(false);
  });

  it("hold a special address that is stated as such", () => {
    expect(parse("main/gpu=127.0.0.0/8").allows("main", "gpu", "127.0.0.1")).toBe(true);
    expect(parse("main/gpu=127.0.0.1").allows("main", "gpu", "127.0.0.1")).toBe(true);
    expect(parse("main/gpu=::1").allows("main", "gpu", "::1")).toBe(true);
    expect(parse("main/gpu=126.0.0.0/7").allows("main", "gpu", "127.0.0.1")).toBe(false);
  });

  it("hold addresses, not names or other spellings", () => {
    const networks = parse("main/gpu=0.0.0.0/0+::/0");
    for (const address of ["localhost", "engine.internal", "0x7f.1", "10.1", "", "::ffff:127.0.0.1"]) {
      expect(networks.allows("main", "gpu", address)).toBe(false);
    }
  });

  it.each([
    ["default=10.0.0.0/8", 'has "default=10.0.0.0/8", which does not name networks of a fleet'],
    ["main/gpu", "does not name networks of a fleet"],
    ["main/gpu=10.0.0.0/33", 'has "10.0.0.0/33", which is not a network'],
    ["main/gpu=10.0.0.0/x", "is not a network"],
    ["main/gpu=hosts.example", "is not a network"],
    ["main/gpu=10.0.0.0/8+", 'has "", which is not a network'],
  ])("cannot be %s", (written, message) => {
    expect(() => parse(written)).toThrow(message);
  });
});
