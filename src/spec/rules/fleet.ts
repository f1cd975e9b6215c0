import type * as z from "zod";
import type { Finding } from "../finding.ts";
import { readTemplate } from "../grammar/interpolation.ts";
import { quote } from "../quote.ts";
import { cloudFields, sshFields } from "../schema/fleet.ts";
import type { Path } from "../yaml/node.ts";
import { atKey, atValue, isMapping, isSet, type Raw } from "./raw.ts";

/** Hosts that one file lists at most; a larger fleet is several files. */
const MAX_HOSTS = 1000;

/** What must hold between the fields of a fleet. */
export function checkFleet(fleet: Raw): Finding[] {
  const cloud = isSet(fleet, "nodes");
  const ssh = isSet(fleet, "ssh_config");
  if (cloud && ssh) {
    return [
      atKey(["ssh_config"], "A fleet has `nodes`, which are rented, or `ssh_config`, which exist; write two fleets."),
    ];
  }
  if (cloud) return foreign(fleet, sshFields, "only for hosts that exist (`ssh_config`)");
  const rented = foreign(fleet, cloudFields, "only for hosts that are rented (`nodes`)");
  if (ssh) return [...rented, ...checkSsh(fleet.ssh_config), ...checkEnv(fleet.env)];
  return [...rented, ...foreign(fleet, sshFields, "only for hosts that are set up by SSH (`ssh_config`)")];
}

function foreign(fleet: Raw, fields: Record<string, z.ZodType>, why: string): Finding[] {
  return Object.entries(fields)
    .filter(([key, field]) => isSet(fleet, key) && !isDefault(field, fleet[key]))
    .map(([key]) => atKey([key], `${quote(key)} is ${why}; remove it.`));
}

/** Whether a value is what the field is without it: then nothing is lost where the field means nothing. */
function isDefault(field: z.ZodType, written: unknown): boolean {
  const read = field.safeParse(written);
  return read.success && JSON.stringify(read.data) === JSON.stringify(field.parse(undefined));
}

/** Nobody is asked for a value when a host starts a job, and what is told of a fleet is no place for secrets. */
function checkEnv(env: unknown): Finding[] {
  const texts = isMapping(env) ? Object.entries(env) : Array.isArray(env) ? [...env.entries()] : [];
  return texts.flatMap(([key, text]) => {
    const path = ["env", key];
    if (typeof text !== "string") return [];
    if (Array.isArray(env) && !text.includes("=")) {
      const how = `write ${quote(`${text}=VALUE`)}, or let the service that needs it pass it on`;
      return [atValue(path, `A variable of a fleet has a value; ${how}.`)];
    }
    const read = readTemplate(text);
    if (!read.ok || read.value.every((part) => typeof part === "string")) return [];
    return [atValue(path, "A variable of a fleet refers to nothing; write the reference into `env` of the service.")];
  });
}

interface RawHost {
  raw: Raw;
  path: Path;
}

function checkSsh(config: unknown): Finding[] {
  if (!isMapping(config) || !Array.isArray(config.hosts)) return [];
  const path = ["ssh_config", "hosts"];
  if (config.hosts.length === 0) return [atValue(path, "The list of hosts is empty; write at least one.")];
  if (config.hosts.length > MAX_HOSTS) {
    return [atValue(path, `There are ${config.hosts.length} hosts; one file lists at most ${MAX_HOSTS}.`)];
  }
  const hosts = config.hosts.map(
    (raw, index): RawHost => ({ raw: isMapping(raw) ? raw : { hostname: raw }, path: [...path, index] }),
  );
  return [
    ...checkLogins(hosts, config),
    ...checkInternalIps(hosts, config),
    ...checkDistinct(hosts, "hostname"),
    ...checkDistinct(hosts, "internal_ip"),
  ];
}

function checkLogins(hosts: readonly RawHost[], shared: Raw): Finding[] {
  return ["user", "identity_file"].flatMap((key) => {
    if (isSet(shared, key)) return [];
    const without = hosts.filter(({ raw }) => !isSet(raw, key));
    if (without.length === hosts.length && without.length > 1) {
      return [atKey(["ssh_config"], `\`${key}\` is missing; write it into \`ssh_config\` for all hosts.`)];
    }
    return without.map(({ path }) =>
      atValue(path, `This host has no \`${key}\`; write it here, or into \`ssh_config\` for all hosts.`),
    );
  });
}

function checkInternalIps(hosts: readonly RawHost[], shared: Raw): Finding[] {
  const withIp = hosts.filter(({ raw }) => isSet(raw, "internal_ip"));
  if (withIp.length === 0) return [];
  if (isSet(shared, "network")) {
    const message = "`network` cannot stand beside `internal_ip` of the hosts, which says more; remove one of them.";
    return [atKey(["ssh_config", "network"], message)];
  }
  return hosts
    .filter(({ raw }) => !isSet(raw, "internal_ip"))
    .map(({ path }) =>
      atValue(path, "This host has no `internal_ip` and others have; write it for all hosts or for none."),
    );
}

function checkDistinct(hosts: readonly RawHost[], key: "hostname" | "internal_ip"): Finding[] {
  const seen = new Map<string, number>();
  return hosts.flatMap(({ raw, path }, index) => {
    const value = raw[key];
    if (typeof value !== "string") return [];
    const first = seen.get(value);
    if (first === undefined) {
      seen.set(value, index);
      return [];
    }
    return [atValue(path, `${quote(value)} is listed already, as ssh_config.hosts[${first}]; keep one of them.`)];
  });
}
