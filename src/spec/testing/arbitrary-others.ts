import fc from "fast-check";
import { referencesOf } from "../grammar/interpolation.ts";
import type { CloudHosts, FleetSpec, SshHosts, SshLogin } from "../types-fleet.ts";
import type { GatewaySpec } from "../types-gateway.ts";
import type { KubernetesClaim, VolumeSpec } from "../types-volume.ts";
import { env, name, offers, orNull, port, resources, seconds } from "./spec-parts.ts";

/** Fleets, gateways and volumes that a file can describe, for property tests. */

const cloudName = fc.constantFrom("eu-west-1", "on", "1.10", "a:b", "#1");
const count = fc.integer({ min: 0, max: 5000 });

const nodes: fc.Arbitrary<CloudHosts["nodes"]> = fc
  .tuple(count, fc.constantFrom(0, 0, 3), orNull(count))
  .map(([min, more, above]) => ({ min, target: min + more, max: above === null ? null : min + more + above }))
  .filter(({ max }) => max === null || max <= 10_000);

const cloud: fc.Arbitrary<CloudHosts> = fc.record({
  ...offers,
  kind: fc.constant("cloud"),
  nodes,
  resources,
  spotPolicy: fc.constantFrom("spot", "on-demand", "auto"),
  reservation: orNull(cloudName),
  idleDurationS: orNull(fc.oneof(fc.constant(259_200), seconds)),
});

const login = (hostname: fc.Arbitrary<string>): fc.Arbitrary<SshLogin> =>
  fc.record({
    hostname,
    port: orNull(port),
    user: fc.constantFrom("ubuntu", "no", "root"),
    identityFile: fc.constantFrom("~/.ssh/id_ed25519", "/a: b", "1"),
  });

const ssh: fc.Arbitrary<SshHosts> = fc
  .record({
    // Each has a value, which refers to nothing.
    env: env.map((all) =>
      Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && referencesOf(value).length === 0)),
    ),
    logins: fc.uniqueArray(login(fc.constantFrom("10.0.0.5", "gpu-1.example.com", "on")), {
      minLength: 1,
      maxLength: 3,
      selector: ({ hostname }) => hostname,
    }),
    proxyJump: orNull(login(fc.constantFrom("jump.example.com", "10.0.0.1"))),
    blocks: fc.constantFrom(null, 1, 8, "auto" as const),
    network: fc.constantFrom(null, "10.0.0.0/24"),
    hasIps: fc.boolean(),
  })
  .map(({ env: variables, logins, proxyJump, blocks, network, hasIps }) => ({
    kind: "ssh" as const,
    env: variables,
    network: hasIps ? null : network,
    hosts: logins.map((one, index) => ({ ...one, proxyJump, blocks, internalIp: hasIps ? `10.0.1.${index}` : null })),
  }));

export const fleet: fc.Arbitrary<FleetSpec> = fc.record({
  type: fc.constant("fleet"),
  name,
  placement: fc.constantFrom("any", "cluster"),
  blocks: fc.constantFrom(1, 8, "auto" as const),
  overcommit: fc.boolean(),
  allow: fc.record({
    privileged: fc.boolean(),
    hostPaths: fc.constantFrom<string[]>([], ["/"], ["/mnt/models", "/opt/lib"]),
    processes: fc.boolean(),
  }),
  agentVersion: fc.constantFrom("server", "hold", "4f2a90bb13c7", "123456789012", "1234567e8901"),
  hosts: fc.oneof(cloud, ssh, fc.constant({ kind: "joined" as const })),
});

/** What goes together of backend, certificate and the rest. */
const served = fc.oneof(
  fc.record({
    backend: fc.constantFrom("aws" as const, "azure" as const, "gcp" as const, "kubernetes" as const),
    certificate: fc.constant({ type: "lets-encrypt" as const }),
    replicas: fc.constant(1),
    publicIp: fc.constant(true),
    loadBalancer: fc.constant(null),
  }),
  fc.record({
    backend: fc.constantFrom("aws" as const, "gcp" as const),
    certificate: fc.constant(null),
    replicas: fc.integer({ min: 1, max: 9 }),
    publicIp: fc.boolean(),
    loadBalancer: fc.constantFrom(null, { type: "alb" as const }),
  }),
  fc.constant({
    backend: "aws" as const,
    certificate: { type: "acm" as const, arn: "arn:aws:acm:eu-west-1:123456789012:certificate/0-1" },
    replicas: 2,
    publicIp: true,
    loadBalancer: { type: "alb" as const },
  }),
  fc.constant({
    backend: "gcp" as const,
    certificate: { type: "gcp-cm" as const, name: "models" },
    replicas: 1,
    publicIp: true,
    loadBalancer: { type: "alb" as const },
  }),
);

export const gateway: fc.Arbitrary<GatewaySpec> = fc
  .record({
    type: fc.constant("gateway" as const),
    name,
    region: cloudName,
    default: fc.constantFrom(null, true, false),
    instanceType: orNull(cloudName),
    domain: fc.constantFrom(null, "models.example.com", "${{ run.project_name }}.example.com"),
    tags: offers.tags,
    router: orNull(
      fc.record({ type: fc.constant("smg" as const), policy: fc.constantFrom(null, "cache_aware" as const) }),
    ),
    served,
  })
  .map(({ served: how, ...rest }) => ({ ...rest, ...how }));

const claim: fc.Arbitrary<KubernetesClaim> = fc.record({
  claimName: fc.constant(null),
  storageClassName: orNull(cloudName),
  accessModes: fc.constantFrom(["ReadWriteOnce"], ["ReadWriteMany", "ReadOnlyMany"]),
  readOnly: fc.boolean(),
});

const common = { type: fc.constant("volume" as const), name, tags: offers.tags };

export const volume: fc.Arbitrary<VolumeSpec> = fc.oneof(
  fc.record({
    ...common,
    backend: fc.constantFrom("aws" as const, "gcp" as const),
    region: cloudName,
    availabilityZone: orNull(cloudName),
    size: fc.constantFrom(100, 0.5, 1e21),
    volumeId: fc.constant(null),
    kubernetes: fc.constant(null),
    autoCleanupDurationS: orNull(seconds),
  }),
  fc.record({
    ...common,
    backend: fc.constant("runpod" as const),
    region: cloudName,
    availabilityZone: fc.constant(null),
    size: fc.constant(null),
    volumeId: cloudName,
    kubernetes: fc.constant(null),
    autoCleanupDurationS: fc.constant(null),
  }),
  fc.record({
    ...common,
    backend: fc.constant("kubernetes" as const),
    region: fc.constantFrom("", "eu"),
    availabilityZone: fc.constant(null),
    size: fc.constant(100),
    volumeId: fc.constant(null),
    kubernetes: claim,
    autoCleanupDurationS: orNull(seconds),
  }),
);
