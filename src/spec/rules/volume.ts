import type { Finding } from "../finding.ts";
import { listWords, quote } from "../quote.ts";
import type { VolumeBackend } from "../types-volume.ts";
import { atKey, atValue, isSet, type Raw } from "./raw.ts";

/** The fields that only some backends have, by backend. */
const fieldsOf: Record<VolumeBackend, readonly string[]> = {
  aws: ["region", "availability_zone", "size", "volume_id"],
  gcp: ["region", "availability_zone", "size", "volume_id"],
  runpod: ["region", "size", "volume_id"],
  daytona: ["volume_id"],
  lium: ["volume_id"],
  kubernetes: ["region", "size", "claim_name", "storage_class_name", "access_modes", "read_only"],
};

const inARegion = ["aws", "gcp", "runpod"];

/** What must hold between the fields of a volume. */
export function checkVolume(volume: Raw): Finding[] {
  const backend = String(volume.backend);
  if (!isBackend(backend)) return [];
  return [...checkFields(volume, backend), ...checkSource(volume, backend)];
}

function isBackend(text: string): text is VolumeBackend {
  return Object.hasOwn(fieldsOf, text);
}

function checkFields(volume: Raw, backend: VolumeBackend): Finding[] {
  const all = [...new Set(Object.values(fieldsOf).flat())];
  const known = fieldsOf[backend];
  const found = all
    .filter((key) => isSet(volume, key) && !known.includes(key))
    .map((key) =>
      atKey(
        [key],
        `${quote(key)} means nothing at ${quote(backend)}, which has ${listWords(known.map(quote))}; remove it.`,
      ),
    );
  if (inARegion.includes(backend) && !isSet(volume, "region")) {
    found.push(atValue(["region"], "`region` is missing: where the volume is; write for example `region: eu-west-1`."));
  }
  return found;
}

/** A volume is made, which takes a size, or exists, which takes its id; one that exists is not ours to delete. */
function checkSource(volume: Raw, backend: VolumeBackend): Finding[] {
  const idKey = backend === "kubernetes" ? "claim_name" : "volume_id";
  const canBeMade = fieldsOf[backend].includes("size");
  if (isSet(volume, idKey)) {
    const message = `\`auto_cleanup_duration\` is for volumes that were made; the one that \`${idKey}\` names stays. Remove it.`;
    return isSet(volume, "auto_cleanup_duration") ? [atKey(["auto_cleanup_duration"], message)] : [];
  }
  if (canBeMade && isSet(volume, "size")) return [];
  const message = canBeMade
    ? `Write the \`size\` of a volume that shall be made, or \`${idKey}\` of one that exists.`
    : `\`${idKey}\` is missing: which volume at ${quote(backend)}.`;
  return [atValue([], message)];
}
