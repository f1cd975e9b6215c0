import { fieldTable } from "../src/spec/schema/field-table.ts";
import { documentedKinds } from "../src/spec/schema/kinds.ts";

const INTRODUCTION = `# Fields of a configuration

Every field of every file, with what it means and how it stands to the field of the same name in dstack 0.22.5, whose
files are read unchanged. This page is written by \`npm run docs\` from the schemas that files are read with.

| word | meaning |
| --- | --- |
| same | means what it means there |
| better | takes the same, and does it better |
| extended | takes or does more; or is a field that only exists here |
| later | understood and kept; \`headrace plan\` says what it waits for |
| unused | taken, since files have it, and without meaning |
| refused | not taken, with the reason and what to write instead |

| value | how it is written |
| --- | --- |
| duration | seconds as a number, or a whole number with a unit: \`90\`, \`15s\`, \`5m\`, \`2h\`, \`1d\`, \`1w\` |
| memory | GB as a number, or with a unit: \`80\`, \`512MB\`, \`80GB\`, \`1TB\` (1 GB is 1024 MB) |
| range | \`8\`, \`4..8\`, \`4..\`, \`..8\`, or \`{min: 4, max: 8}\` |
| CPUs | a number or range, an architecture, or both: \`8..\`, \`arm\`, \`arm:4..8\` |
| GPUs | vendor, names, memory and number in any order: \`8\`, \`H100:8\`, \`A100,H100:80GB:4\`, \`24GB..\`, \`amd:MI300X:8\` |
| name | 2 to 41 lower-case letters, digits and \`-\`, beginning with a letter; a group's may begin with a digit |
| true or false | also \`yes\`, \`no\`, \`on\` and \`off\` |

\`null\` is the same as leaving a field out, unless it says otherwise.
`;

/** The page of all fields, in Markdown. */
export function fieldsPage(): string {
  const sections = fieldTable(documentedKinds).map(({ kind, rows }) => {
    const head = "| field | written as | default | meaning | to dstack |\n| --- | --- | --- | --- | --- |";
    const lines = rows.map(({ name, written, fallback, description, standing }) => {
      const cells = [`\`${name}\``, written, fallback, description, standing].map((cell) =>
        cell.replaceAll("|", "\\|"),
      );
      return `| ${cells.join(" | ")} |`;
    });
    return `## ${kind}\n\n${head}\n${lines.join("\n")}\n`;
  });
  return [INTRODUCTION, ...sections].join("\n");
}
