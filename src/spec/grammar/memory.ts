import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import { withoutSignOfZero } from "./number.ts";

/** 1024-based: a GB is what others call a GiB, as everywhere in this language. */
const unitGib: Record<string, number> = { MB: 1 / 1024, GB: 1, TB: 1024 };

/** An amount of memory or disk in GiB, at least 0: a number is GB, a text has the unit MB, GB or TB. */
export function readMemory(written: string | number): Result<number> {
  const gib = typeof written === "number" ? written : gibOf(written);
  if (gib === null || !Number.isFinite(gib) || gib < 0) {
    return bad(
      `${quote(written)} is not an amount of memory; write GB as a number (\`80\`) or use MB, GB or TB (\`512MB\`, \`80GB\`).`,
    );
  }
  return good(withoutSignOfZero(gib));
}

function gibOf(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(MB|GB|TB)?$/.exec(text.replace(/\s+/g, "").toUpperCase());
  return match === null ? null : Number(match[1]) * unitGib[match[2] ?? "GB"]!;
}
