import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseConfig } from "./parse.ts";

const folder = new URL("../../test/fixtures/broken/", import.meta.url);

type Expected = [place: string, path: string, ...words: string[]];

/** Every broken file with everything that is said about it: line and column, path, and words of the message. */
const files: Record<string, Expected[]> = {
  "alias-bomb.yml": [["7:7", "", "more than 20000 values", "aliases"]],
  "bad-name.yml": [["2:7", "name", "`Qwen_2.5`", "lower-case", "`qwen-2-5`"]],
  "base-60-port.yml": [["5:7", "port", "`4830` to YAML 1.1", '`4830` or `"80:30"`']],
  "command-is-a-mapping.yml": [["8:5", "commands[1]", "Found a mapping", "quotes"]],
  "duplicate-key.yml": [["7:1", "", "`port` is written twice", "line 4"]],
  "dynamo-router-twice.yml": [["6:15", "groups[0].replicas", "exactly one", "`replicas: 1`"]],
  "env-boolean.yml": [["8:19", "env.HF_HUB_OFFLINE", 'write `"on"` or `"true"`']],
  "env-twice.yml": [["8:5", "env[2]", "`HF_TOKEN` is given twice", "env[0]"]],
  "fleet.yml": [
    ["3:12", "placement", "`clustered`", "did you mean `cluster`?"],
    ["6:12", "ssh_config.network", "`8.8.8.0/24` is not private"],
    ["10:7", "ssh_config.hosts[1]", "This host has no `identity_file`"],
    ["10:7", "ssh_config.hosts[1]", "`ubuntu@10.0.0.6` is no name or address", "written as `user`"],
    ["11:1", "spot_policy", "only for hosts that are rented", "`nodes`"],
  ],
  "gateway.yml": [
    ["5:12", "public_ip", "at aws and gcp, not at `kubernetes`"],
    ["6:16", "load_balancer", "at aws and gcp, not at `kubernetes`"],
    ["9:9", "certificate.type", "did you mean `lets-encrypt`?"],
  ],
  "gpu-in-group.yml": [["12:12", "replicas[1].resources.gpu", "`H100:A100` gives names twice", "`A100,H100:80GB:4`"]],
  "gpu-list.yml": [["6:8", "resources.gpu", "Found a list", '`gpu: "A100,H100:8"`']],
  "memory-unit.yml": [["7:11", "resources.memory", "`512GiB`", "MB, GB or TB"]],
  "missing-name.yml": [["2:1", "name", "`name` is missing", "`name: my-service`"]],
  "missing-port.yml": [["2:1", "port", "`port` is missing", "`port: 8000`"]],
  "open-count.yml": [["11:12", "replicas[1].count", "`2..` has no upper end", "`2..4`"]],
  "other-type.yml": [["1:7", "type", "A task runs until it is done", "`type: service`"]],
  "probes.yml": [
    ["7:10", "probes[0].url", "`health`", "begins with `/`"],
    ["8:14", "probes[0].timeout", "`10m` is too long", "5m"],
    ["10:13", "probes[1].method", "`GET` is not one of", "did you mean `get`?"],
    ["11:15", "probes[1].interval", "`500ms` is not a duration"],
    ["12:5", "probes[2].type", "`type` is missing", "`type: http`"],
  ],
  "range-without-scaling.yml": [["7:15", "groups[0].replicas", "`replicas: 1..4` is a range", "write `scaling`"]],
  "refused-fields.yml": [
    ["7:3", "repos", "`repos` is not taken", "`git clone`"],
    ["8:9", "dstack", "no dstack server", "`dstack: false`"],
    ["9:8", "https", "needs a gateway"],
    ["13:14", "model.eos_token", "TGI knows the model's own", "`--tokenizer-config-path`"],
    ["15:5", "commands[0]", "`${{ secrets.HF_TOKEN }}` cannot stand here", "put it into `env`", "`$HF_TOKEN`"],
  ],
  "router-options.yml": [
    ["10:13", "groups[0].router.type", "`smgg` is not one of", "did you mean `smg`?"],
    ["11:7", "groups[0].router.policy", "command line", "`--policy`"],
  ],
  "scaling-of-fixed-count.yml": [["6:1", "scaling", "fixed number", "`replicas: 2..5`"]],
  "shell-in-group.yml": [
    ["9:5", "groups[0].shell", "`shell` belongs to the service", "top level"],
    ["11:11", "groups[1].name", "Two groups are named `prefill`"],
  ],
  "tab-indent.yml": [["6:1", "", "tab", "use spaces"]],
  "two-documents.yml": [["5:1", "", "two-documents.yml holds more than one document"]],
  "two-images.yml": [
    ["9:5", "groups[0].image", "on the service and on this group"],
    ["13:5", "groups[1].python", "`image` of the service", "exclude each other"],
  ],
  "unclosed-quote.yml": [["5:1", "", "not closed"]],
  "unknown-key.yml": [["5:1", "comamnds", "`comamnds` is unknown", "did you mean `commands`?"]],
  "volume.yml": [
    ["1:1", "region", "`region` is missing", "`region: eu-west-1`"],
    ["4:7", "size", "`1TiB` is not an amount", "MB, GB or TB"],
    ["5:1", "claim_name", "means nothing at `aws`", "`volume_id`"],
  ],
};

test("every broken file is in the table", () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(files));
});

describe.each(Object.entries(files))("%s", (file, expected) => {
  const config = parseConfig(readFileSync(new URL(file, folder), "utf8"), file);

  test("is refused at these places", () => {
    expect(config.ok).toBe(false);
    expect(config.issues.map(({ line, column, path }) => [`${line}:${column}`, path])).toEqual(
      expected.map(([place, path]) => [place, path]),
    );
  });

  test("with messages that say what is wrong and what to write", () => {
    for (const [index, [, , ...words]] of expected.entries()) {
      for (const word of words) expect(config.issues[index]?.message).toContain(word);
    }
  });
});
