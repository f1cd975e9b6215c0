import { describe, expect, test } from "vitest";
import { parsed, refusal, type Suite } from "./cases/case.ts";
import { counts } from "./cases/counts.ts";
import { endpoints } from "./cases/endpoints.ts";
import { fleets } from "./cases/fleets.ts";
import { gateways } from "./cases/gateways.ts";
import { images } from "./cases/images.ts";
import { odd } from "./cases/odd.ts";
import { probes } from "./cases/probes.ts";
import { processes } from "./cases/processes.ts";
import { profiles } from "./cases/profiles.ts";
import { references } from "./cases/references.ts";
import { resources } from "./cases/resources.ts";
import { rollouts } from "./cases/rollouts.ts";
import { routers } from "./cases/routers.ts";
import { volumeFiles } from "./cases/volume-files.ts";
import { volumes } from "./cases/volumes.ts";
import { words } from "./cases/words.ts";

/** The language by examples: each file of `cases/` is a part of it. */
const suites: Record<string, Suite> = {
  counts,
  endpoints,
  fleets,
  gateways,
  images,
  odd,
  probes,
  processes,
  profiles,
  references,
  resources,
  rollouts,
  routers,
  volumeFiles,
  volumes,
  words,
};

describe.each(Object.entries(suites))("%s", (_name, { means, refused, notes }) => {
  test.each(means)("%s", (text, path, value) => {
    const found = parsed(text, path);
    if (value !== null && typeof value === "object" && !Array.isArray(value)) expect(found).toMatchObject(value);
    else expect(found).toEqual(value);
  });

  test.each(refused)("%s", (text, line, ...words) => {
    const issues = refusal(text);
    const [first] = issues;
    // One mistake gets one message, at its place.
    expect(issues).toHaveLength(1);
    expect(first?.line, first?.message).toBe(line);
    for (const word of words) expect(first?.message).toContain(word);
  });

  test.each(notes ?? [])("%s", (text, ...notes) => {
    expect(parsed(text, "$notes")).toEqual(notes);
  });
});

test("there are enough of them to speak of the whole language", () => {
  const cases = Object.values(suites).flatMap(({ means, refused, notes = [] }) => [...means, ...refused, ...notes]);
  const texts = cases.map(([text, ...rest]) => JSON.stringify([text, typeof rest[0] === "string" ? rest[0] : null]));
  expect(new Set(texts).size).toBe(texts.length);
  expect(texts.length).toBeGreaterThanOrEqual(250);
});
