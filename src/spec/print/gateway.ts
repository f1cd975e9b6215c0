import type { GatewaySpec } from "../types-gateway.ts";
import type { Fields } from "./group.ts";
import { unless } from "./scalars.ts";

export function writeGateway(spec: GatewaySpec): Fields {
  const { certificate, router } = spec;
  return {
    type: spec.type,
    name: spec.name,
    backend: spec.backend,
    region: spec.region,
    default: spec.default ?? undefined,
    instance_type: spec.instanceType ?? undefined,
    domain: spec.domain ?? undefined,
    public_ip: unless(true, spec.publicIp),
    load_balancer: spec.loadBalancer ?? undefined,
    // Null is no certificate, and not the default.
    certificate: certificate?.type === "lets-encrypt" ? undefined : certificate,
    replicas: unless(1, spec.replicas),
    tags: Object.keys(spec.tags).length === 0 ? undefined : spec.tags,
    router: router === null ? undefined : { type: router.type, policy: router.policy ?? undefined },
  };
}
