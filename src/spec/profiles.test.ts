import { describe, expect, test } from "vitest";
import { parseConfig } from "./parse.ts";
import type { ParsedConfig, ServiceSpec } from "./types.ts";
import type { CloudHosts } from "./types-fleet.ts";

const file = ".dstack/profiles.yml";
const service = "type: service\nname: demo\nport: 8000\ncommands: [run]\n";

function parse(profiles: string, { name = null, config = service }: { name?: string | null; config?: string } = {}) {
  return parseConfig(config, "demo.yml", { profiles: { text: profiles, file, name } });
}

function specOf(parsed: ParsedConfig): ServiceSpec {
  if (!parsed.ok || parsed.type !== "service") throw new Error(JSON.stringify(parsed.issues));
  return parsed.spec;
}

function issuesOf(parsed: ParsedConfig): string[] {
  return parsed.issues.map(({ file, line, column, path, message }) => `${file}:${line}:${column} ${path}: ${message}`);
}

const two = `
profiles:
  - name: cheap
    spot_policy: auto
    max_price: 2
    retry: true
  - name: long
    default: yes
    max_duration: 1d
    regions: [eu-west-1]
`;

describe("what a file of profiles adds", () => {
  test("without a name it is the default profile", () => {
    expect(specOf(parse(two))).toMatchObject({
      groups: [{ spotPolicy: "on-demand" }],
      profile: { maxDurationS: 86_400, maxPrice: null, regions: ["eu-west-1"] },
    });
  });

  test("with a name it is that profile", () => {
    const spec = specOf(parse(two, { name: "cheap" }));
    expect(spec).toMatchObject({
      groups: [{ spotPolicy: "auto" }],
      profile: { maxDurationS: null, maxPrice: 2, regions: null, retry: { durationS: 3600 } },
    });
  });

  test("nothing where no profile is the default", () => {
    const plain = specOf(parseConfig(service, "demo.yml"));
    expect(specOf(parse("profiles: [{name: a, max_price: 2}]"))).toEqual(plain);
    expect(specOf(parse("profiles: []"))).toEqual(plain);
  });

  test("the configuration goes before the profile, and null in it does not", () => {
    const config = `${service}max_price: 5\nspot_policy: null\nstop_duration: off\n`;
    expect(
      specOf(parse("profiles: [{name: a, max_price: 2, spot_policy: spot, stop_duration: 1m}]", { name: "a", config })),
    ).toMatchObject({
      groups: [{ spotPolicy: "spot" }],
      stopDuration: null,
      profile: { maxPrice: 5 },
    });
  });

  test("a group's own field goes before the profile too", () => {
    const config =
      "type: service\nname: demo\nport: 8000\nimage: x\ngroups: [{replicas: 1, spot_policy: spot}, {replicas: 1}]\n";
    const spec = specOf(parse("profiles: [{name: a, spot_policy: auto}]", { name: "a", config }));
    expect(spec.groups.map(({ spotPolicy }) => spotPolicy)).toEqual(["spot", "auto"]);
  });

  test("fleets", () => {
    const spec = specOf(parse("profiles: [{name: a, fleets: [gpus, team-a/gpus]}]", { name: "a" }));
    expect(spec.groups[0]?.fleets).toEqual([
      { project: null, name: "gpus" },
      { project: "team-a", name: "gpus" },
    ]);
  });

  test("each parameter that does not act yet is noted where it is written, unless the configuration says another", () => {
    const notes = (config: string) => {
      const parsed = parse(two, { name: "cheap", config });
      return parsed.ok ? parsed.notes.map(({ file, line, path }) => `${file}:${line} ${path}`) : [];
    };
    expect(notes(service)).toEqual([`${file}:4 profiles[0].spot_policy`, `${file}:5 profiles[0].max_price`]);
    expect(notes(`${service}max_price: 3\n`)).toEqual(["undefined:5 max_price", `${file}:4 profiles[0].spot_policy`]);
  });

  test("a fleet of rented hosts takes what it has fields for, one of existing hosts nothing", () => {
    const profiles =
      "profiles: [{name: a, spot_policy: auto, max_price: 2, idle_duration: 1h, max_duration: 2h, schedule: {cron: x}}]";
    const rented = parse(profiles, { name: "a", config: "type: fleet\nname: rack\nnodes: 2\nmax_price: 3\n" });
    const hosts = rented.ok && rented.type === "fleet" ? (rented.spec.hosts as CloudHosts) : null;
    expect(hosts).toMatchObject({ spotPolicy: "auto", maxPrice: 3, idleDurationS: 3600 });
    const ssh = "type: fleet\nname: rack\nssh_config: {user: u, identity_file: k, hosts: [h1]}\n";
    expect(parse(profiles, { name: "a", config: ssh })).toEqual(parseConfig(ssh, "demo.yml"));
  });

  test("a gateway and a volume take nothing", () => {
    const volume = "type: volume\nname: models\nbackend: aws\nregion: eu-west-1\nsize: 1TB\n";
    expect(parse("profiles: [{name: a, tags: {team: x}}]", { name: "a", config: volume })).toEqual(
      parseConfig(volume, "demo.yml"),
    );
  });
});

describe("what is wrong in it names that file and the place there", () => {
  test.each<[profiles: string, name: string | null, ...words: string[]]>([
    [two, "chep", `${file}:2:1 profiles: There is no profile \`chep\`; did you mean \`cheap\`?`],
    [two, "something", "There is no profile `something`; there are `cheap`, `long`."],
    ["profiles: []", "a", "There is no profile `a`; there are none."],
    ["", null, `${file}:1:1`],
    ["[]", null, `${file}:1:1`, "is a mapping with the list `profiles`"],
    ["profiles: {a: 1}", null, "Found a mapping where a list belongs"],
    ["profile: []", null, "did you mean `profiles`?"],
    ["profiles: [{name: a, spot_polcy: auto}]", null, `${file}:1:22 profiles[0].spot_polcy`, "did you mean"],
    ["profiles:\n  - max_price: 2\n", null, `${file}:2:5 profiles[0].name: \`name\` is missing`],
    ["profiles:\n  - {name: a, max_price: -2}\n", null, `${file}:2:26 profiles[0].max_price`, "above 0"],
    ["profiles:\n  - {name: a}\n  - {name: b, fleets: []}\n", "a", `${file}:3:23`, "This list is empty"],
    ["profiles: [{name: a}, {name: a}]", null, "profiles[0] is named `a` too"],
    ["profiles: [{name: a, default: on}, {name: b, default: true}]", null, "profiles[0] is the default already"],
    [
      "profiles: [{name: a, default: true, schedule: {cron: x}}]",
      null,
      `profiles[0].schedule`,
      "not started by a clock",
    ],
    ["profiles: [{name: a, max_duration: 010}]", null, "Without quotes `010`"],
    ["profiles: *x", null, `${file}:1:11`],
  ])("%j", (profiles, name, ...words) => {
    const [issue, ...others] = issuesOf(parse(profiles, { name }));
    for (const word of words) expect(issue).toContain(word);
    if (profiles !== "") expect(others).toEqual([]);
  });

  test("a schedule of a profile that is not used does not matter", () => {
    expect(parse("profiles: [{name: a, schedule: {cron: 0 8 * * *}}, {name: b}]", { name: "b" }).ok).toBe(true);
  });

  test("both files are told of at once", () => {
    const parsed = parse("profiles: [{name: a, max_price: 0}]", { config: `${service}max_price: 0\n` });
    expect(issuesOf(parsed).map((issue) => issue.split(" ")[0])).toEqual(["undefined:5:12", `${file}:1:33`]);
  });
});
