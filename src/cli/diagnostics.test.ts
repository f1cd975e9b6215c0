import { expect, test } from "vitest";
import { showIssue } from "./diagnostics.ts";
import { colorsFor } from "./style.ts";

const colors = colorsFor({ isTTY: false, columns: 80, rows: 24, write() {} }, { NO_COLOR: "1" });

test("an issue of the file of profiles is shown with that file's name and line", () => {
  const service = { file: "demo.yml", text: "type: service\nname: demo\n" };
  const profiles = { file: ".dstack/profiles.yml", text: "profiles:\n  - name: a\n    max_price: 0\n" };
  const issue = { file: profiles.file, line: 3, column: 16, path: "profiles[0].max_price", message: "Write more." };
  const place = ".dstack/profiles.yml:3:16: profiles[0].max_price: Write more.";
  expect(showIssue(service, issue, colors, profiles)).toBe(`${place}\n  3 |     max_price: 0\n    |                ^`);
  expect(showIssue(service, issue, colors)).toBe(place);
});
