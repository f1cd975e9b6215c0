import { listWords, quote } from "./quote.ts";
import type { OddScalar, Reading } from "./yaml/plain-scalar.ts";

/** An unquoted scalar that is more than one thing: what each reader makes of it, and how to write each. */
export function explainOdd(odd: OddScalar, onlyText: boolean, wanted: string, example: string): string {
  const written = [odd.yaml11, odd.yaml12].map((reading) => writeReading(reading, odd.text, onlyText));
  if (onlyText) written.unshift(JSON.stringify(odd.text));
  const ways = [...new Set(written)].slice(0, 2).map((way) => `\`${way}\``);
  const advice = `write ${listWords(ways)}${ways.length > 1 ? ", whichever is meant" : ""}`;
  const readings = [nameReading(odd.yaml11, odd.text), nameReading(odd.yaml12, odd.text)];
  const disagreement =
    readings[0] === readings[1]
      ? `is ${readings[0]} to YAML`
      : `is ${readings[0]} to YAML 1.1 and ${readings[1]} to YAML 1.2`;
  const belongs = wanted === "true or false" ? ` where true or false belongs${example}.` : `; ${advice}.`;
  return `Without quotes ${quote(odd.text)} ${disagreement}${belongs}`;
}

function writeReading(reading: Reading, text: string, asText: boolean): string {
  if (reading.kind !== "value" || typeof reading.value === "string") return JSON.stringify(text);
  return asText ? JSON.stringify(String(reading.value)) : String(reading.value);
}

function nameReading(reading: Reading, text: string): string {
  if (reading.kind === "date") return "a date";
  if (reading.kind === "null") return "nothing";
  if (typeof reading.value === "string") return `the text ${quote(text)}`;
  return `the ${typeof reading.value} ${quote(reading.value)}`;
}
