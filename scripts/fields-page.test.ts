import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { fieldTable } from "../src/spec/schema/field-table.ts";
import { documentedKinds } from "../src/spec/schema/kinds.ts";
import { fieldsPage } from "./fields-page.ts";

/** `kind: field field ...`, a line for each kind of mapping; `#` begins a comment. */
async function knownFields(): Promise<{ kind: string; fields: string[] }[]> {
  const text = await readFile(new URL("../test/fixtures/known-fields.txt", import.meta.url), "utf8");
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  return lines.map((line) => {
    const [kind = "", fields = ""] = line.split(": ");
    return { kind, fields: fields.split(" ") };
  });
}

test("every field that files are known to have is in the table", async () => {
  const known = await knownFields();
  const table = new Map(fieldTable(documentedKinds).map(({ kind, rows }) => [kind, rows.map(({ name }) => name)]));
  const missing = known.flatMap(({ kind, fields }) =>
    fields.filter((field) => !table.get(kind)?.includes(field)).map((field) => `${kind}.${field}`),
  );
  expect(missing).toEqual([]);
  expect(known.flatMap(({ fields }) => fields).length).toBeGreaterThan(200);
});

test("each row says all there is to say, and each refused field why", () => {
  for (const { kind, rows } of fieldTable(documentedKinds)) {
    for (const { name, written, fallback, description, standing } of rows) {
      const place = `${kind}.${name}`;
      expect([written, fallback, description].includes(""), place).toBe(false);
      expect(standing, place).toMatch(/^(same|(better|extended|later|unused|refused): .{5,})/);
    }
  }
});

test("links to other sections of the page lead somewhere", () => {
  const page = fieldsPage();
  const headings = [...page.matchAll(/^## (.+)$/gm)].map((match) => match[1]?.replaceAll(" ", "-"));
  const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map((match) => match[1]);
  expect(links.length).toBeGreaterThan(20);
  expect(links.filter((link) => !headings.includes(link))).toEqual([]);
});
