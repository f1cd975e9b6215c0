import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";

/** Networks that the public internet does not route: inside a company, a carrier, a link. */
const privateV4 = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"];

interface Address {
  version: 4 | 6;
  /** Its bits as text, so that prefixes of both versions compare alike. */
  bits: string;
}

/** An address that only hosts of the same network reach. */
export function readPrivateIp(written: string): Result<string> {
  const address = addressOf(written);
  if (address === null) return bad(`${quote(written)} is no IP address; write one such as \`10.0.0.5\`.`);
  return isPrivate(address, address.bits.length) ? good(written) : bad(notPrivate(written));
}

/** A private network as `address/prefix`; bits after the prefix mean nothing and may be set. */
export function readPrivateNetwork(written: string): Result<string> {
  const [text, length, ...rest] = written.split("/");
  const address = addressOf(text ?? "");
  const prefix = /^\d{1,3}$/.test(length ?? "") ? Number(length) : Number.NaN;
  if (address === null || rest.length > 0 || !(prefix <= address.bits.length)) {
    return bad(`${quote(written)} is no network; write an address and how many bits of it count: \`10.0.0.0/24\`.`);
  }
  return isPrivate(address, prefix) ? good(written) : bad(notPrivate(written));
}

function notPrivate(written: string): string {
  return `${quote(written)} is not private; the hosts talk inside, for example in \`10.0.0.0/8\` or \`192.168.0.0/16\`.`;
}

/** Whether all addresses that share the first `prefix` bits are private. */
function isPrivate({ version, bits }: Address, prefix: number): boolean {
  // fc00::/7 is for private use, fe80::/10 for one link.
  const known = version === 6 ? ["1111110", "1111111010"] : privateV4.map(prefixBits);
  return known.some((network) => prefix >= network.length && bits.startsWith(network));
}

function prefixBits(network: string): string {
  const [text = "", length] = network.split("/");
  return (bitsOfV4(text) ?? "").slice(0, Number(length));
}

function addressOf(text: string): Address | null {
  const v4 = bitsOfV4(text);
  if (v4 !== null) return { version: 4, bits: v4 };
  const v6 = bitsOfV6(text);
  return v6 === null ? null : { version: 6, bits: v6 };
}

function bitsOfV4(text: string): string | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return null;
  return parts.map((part) => Number(part).toString(2).padStart(8, "0")).join("");
}

function bitsOfV6(text: string): string | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array<string>(missing).fill("0"), ...tail];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return null;
  return groups.map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0")).join("");
}
