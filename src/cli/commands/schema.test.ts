import { expect, test } from "vitest";
import { EXIT } from "../exit-codes.ts";
import { Cli } from "../testing/run.ts";

test("prints the JSON Schema, without a server", async () => {
  await using cli = await Cli.create();
  cli.env = { HOME: cli.home };
  const { code, out, err } = await cli.run("schema");
  expect(code).toBe(EXIT.ok);
  expect(err).toBe("");
  expect(cli.requests).toEqual([]);
  expect(JSON.parse(out)).toMatchObject({
    $schema: "http://json-schema.org/draft-07/schema#",
    definitions: { service: { required: expect.arrayContaining(["type"]) } },
  });
});
