import type { Finding } from "../finding.ts";
import { readFlag } from "../schema/fields.ts";
import type { Path } from "../yaml/node.ts";
import { atKey, groupsOf, isOn, isSet, type Raw } from "./raw.ts";

/** Fields that stand on the service or on its groups, never on both. */
const oneLevelFields = ["image", "docker", "privileged", "python", "nvcc", "spot_policy", "reservation"];

/** Pairs that say two different things about where the commands run. The second of a pair is the one pointed at. */
const exclusive: readonly [string, string][] = [
  ["image", "python"],
  ["image", "docker"],
  ["python", "docker"],
  ["nvcc", "docker"],
];

/** What the service may say about images, given what a group says: first the service's field, then the groups'. */
const crossing: readonly [string, readonly string[]][] = [
  ["image", ["docker", "python", "nvcc"]],
  ["docker", ["image", "python", "nvcc"]],
  ["python", ["image", "docker"]],
  ["nvcc", ["image", "docker"]],
];

/** Where the commands run, and on what kind of host, is said once and without contradiction. */
export function checkImages(service: Raw): Finding[] {
  const groups = groupsOf(service);
  return [
    ...checkOneLevel(service, []),
    ...groups.flatMap(({ raw, path }) => [
      ...checkOneLevel(raw, path),
      ...checkBothLevels(service, raw, path),
      ...checkCrossing(service, raw, path),
    ]),
  ];
}

function checkOneLevel(raw: Raw, path: Path): Finding[] {
  const found = exclusive
    .filter(([a, b]) => says(raw, a) && says(raw, b))
    .map(([a, b]) => atKey([...path, b], `\`${b}\` and \`${a}\` exclude each other; keep one of them.`));
  if (isOn(raw, "docker") && isSet(raw, "privileged") && readFlag(raw.privileged) === false) {
    found.push(
      atKey([...path, "privileged"], "`docker: true` needs a privileged container; remove `privileged: false`."),
    );
  }
  return found;
}

function checkBothLevels(service: Raw, group: Raw, path: Path): Finding[] {
  return oneLevelFields
    .filter((key) => isSet(service, key) && isSet(group, key))
    .map((key) =>
      atKey(
        [...path, key],
        `\`${key}\` stands on the service and on this group; write it on the service alone, or on each group that needs it.`,
      ),
    );
}

function checkCrossing(service: Raw, group: Raw, path: Path): Finding[] {
  return crossing.flatMap(([ours, theirs]) => {
    if (!says(service, ours)) return [];
    return theirs
      .filter((key) => says(group, key))
      .map((key) =>
        atKey(
          [...path, key],
          `\`${key}\` of this group and \`${ours}\` of the service exclude each other; move \`${ours}\` into the groups it is for.`,
        ),
      );
  });
}

/** `docker: false` and `nvcc: false` say nothing about the image. */
function says(raw: Raw, key: string): boolean {
  return key === "docker" || key === "nvcc" ? isOn(raw, key) : isSet(raw, key);
}
