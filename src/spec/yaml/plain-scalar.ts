/** What a YAML reader makes of an unquoted scalar. A date has no value of its own here: no field takes one. */
export type Reading = { kind: "null" } | { kind: "value"; value: string | number | boolean } | { kind: "date" };

/**
 * An unquoted scalar that may mean something else than its writer sees: YAML 1.1 and 1.2 read it differently (`on`,
 * `010`, `80:30`), or both read a number whose usual spelling is another one (`1.10`). The field that it was written
 * for decides: a boolean takes `on`, a number takes `1.10`; everything else refuses it and shows the ways to write it.
 */
export class OddScalar {
  readonly text: string;
  readonly yaml11: Reading;
  readonly yaml12: Reading;

  constructor(text: string, yaml11: Reading, yaml12: Reading) {
    this.text = text;
    this.yaml11 = yaml11;
    this.yaml12 = yaml12;
  }

  /** The number that both versions of YAML read; null when they do not agree on one. */
  get agreedNumber(): number | null {
    const [a, b] = [this.yaml11, this.yaml12];
    if (a.kind !== "value" || b.kind !== "value" || a.value !== b.value) return null;
    return typeof a.value === "number" ? a.value : null;
  }

  /** The boolean that YAML 1.1, which existing files were written for, reads in `yes`, `no`, `on` and `off`. */
  get boolean11(): boolean | null {
    return this.yaml11.kind === "value" && typeof this.yaml11.value === "boolean" ? this.yaml11.value : null;
  }
}

/** What an unquoted scalar stands for, by its text alone. */
export function readPlainScalar(text: string): string | number | boolean | null | OddScalar {
  const yaml11 = readAs11(text);
  const yaml12 = readAs12(text);
  if (!sameReading(yaml11, yaml12)) return new OddScalar(text, yaml11, yaml12);
  if (yaml12.kind === "null") return null;
  if (yaml12.kind === "date") return text;
  const misleading = typeof yaml12.value === "number" && String(yaml12.value) !== text;
  return misleading ? new OddScalar(text, yaml11, yaml12) : yaml12.value;
}

function sameReading(a: Reading, b: Reading): boolean {
  if (a.kind === "value" && b.kind === "value") return Object.is(a.value, b.value);
  return a.kind === b.kind;
}

const nothing: Reading = { kind: "null" };
const of = (value: string | number | boolean): Reading => ({ kind: "value", value });

/** The types of YAML 1.1 as readers in the field resolve them: single letters (`y`, `n`) stay text. */
function readAs11(text: string): Reading {
  if (/^(~|null|Null|NULL|)$/.test(text)) return nothing;
  if (/^(yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return of(true);
  if (/^(no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)) return of(false);
  if (isDate11(text)) return { kind: "date" };
  return of(readNumber11(text) ?? text);
}

function isDate11(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) || /^\d{4}-\d\d?-\d\d?([Tt]|[ \t]+)\d\d?:\d\d:\d\d/.test(text);
}

function readNumber11(text: string): number | null {
  const sign = text.startsWith("-") ? -1 : 1;
  const body = text.replace(/^[-+]/, "");
  const digits = body.replaceAll("_", "");
  if (/^0b[01_]+$/.test(body)) return sign * Number.parseInt(digits.slice(2), 2);
  if (/^0x[0-9a-fA-F_]+$/.test(body)) return sign * Number.parseInt(digits.slice(2), 16);
  if (/^0[0-7_]+$/.test(body)) return sign * Number.parseInt(digits, 8);
  if (/^(0|[1-9][0-9_]*)$/.test(body)) return sign * Number(digits);
  if (/^[1-9][0-9_]*(:[0-5]?[0-9])+$/.test(body)) return sign * readBase60(digits);
  if (/^[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*$/.test(body)) return sign * readBase60(digits);
  if (/^[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?$/.test(body)) return sign * Number(digits);
  if (/^\.[0-9][0-9_]*([eE][-+][0-9]+)?$/.test(body)) return sign * Number(digits);
  return readSpecialNumber(text);
}

function readBase60(digits: string): number {
  return digits.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** The core schema of YAML 1.2. */
function readAs12(text: string): Reading {
  if (/^(~|null|Null|NULL|)$/.test(text)) return nothing;
  if (/^(true|True|TRUE)$/.test(text)) return of(true);
  if (/^(false|False|FALSE)$/.test(text)) return of(false);
  if (/^[-+]?[0-9]+$/.test(text)) return of(Number(text));
  if (/^0o[0-7]+$/.test(text)) return of(Number.parseInt(text.slice(2), 8));
  if (/^0x[0-9a-fA-F]+$/.test(text)) return of(Number.parseInt(text.slice(2), 16));
  if (/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(text)) return of(Number(text));
  return of(readSpecialNumber(text) ?? text);
}

function readSpecialNumber(text: string): number | null {
  if (/^\+?\.(inf|Inf|INF)$/.test(text)) return Number.POSITIVE_INFINITY;
  if (/^-\.(inf|Inf|INF)$/.test(text)) return Number.NEGATIVE_INFINITY;
  return /^\.(nan|NaN|NAN)$/.test(text) ? Number.NaN : null;
}
