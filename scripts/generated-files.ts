import { configSchema } from "../src/spec/index.ts";
import { fieldsPage } from "./fields-page.ts";

/** A file of the checkout that is made from the code and kept with it. */
interface GeneratedFile {
  path: string;
  text: string;
}

/** What `npm run docs` writes, and a test holds to be what is in the checkout. */
export function generatedFiles(): GeneratedFile[] {
  return [
    { path: "schema/headrace.schema.json", text: `${JSON.stringify(configSchema(), null, 2)}\n` },
    { path: "docs/fields.md", text: fieldsPage() },
  ];
}
