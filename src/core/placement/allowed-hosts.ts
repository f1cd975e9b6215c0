import type { EntityRef, GroupSpec, InstanceRef } from "../../spec/types.ts";
import type { HostEntity } from "../state.ts";

/**
 * Why a group may not use a host, whatever the host has: the group keeps to certain fleets, or the service to certain
 * hosts. `spot_policy` and `reservation` say how to buy and mean nothing for a host that has joined.
 * @param instances the hosts that the service keeps to; null = any
 * @returns null when it may
 */
export function whyNotAllowed(group: GroupSpec, instances: InstanceRef[] | null, host: HostEntity): string | null {
  const { fleets } = group;
  if (fleets && !fleets.some(({ name }) => name === host.fleet)) {
    return `is in fleet ${host.fleet}, the group wants ${listed(fleets.map(({ name }) => name))}`;
  }
  if (instances && !instances.some((instance) => isThisHost(instance, host))) {
    return `is not one of the hosts that the service wants (${instances.map(instanceName).join(", ")})`;
  }
  return null;
}

/** The first fleet of another project that a group asks for; null when there is none. Projects share no hosts. */
export function foreignFleet(group: GroupSpec, project: string): EntityRef | null {
  return group.fleets?.find((fleet) => fleet.project !== null && fleet.project !== project) ?? null;
}

function isThisHost(instance: InstanceRef, host: HostEntity): boolean {
  if ("name" in instance) return instance.name === host.name;
  return instance.hostname === host.name || instance.hostname === host.inventory.address;
}

function instanceName(instance: InstanceRef): string {
  return "name" in instance ? instance.name : instance.hostname;
}

function listed(names: string[]): string {
  return names.length === 1 ? (names[0] as string) : `one of ${names.join(", ")}`;
}
