import type { WrittenGateway } from "./schema/gateway.ts";
import type { GatewayBackend, GatewaySpec } from "./types-gateway.ts";

/** Works out what a written gateway means. The rules have seen to it that it has one backend. */
export function fillGateway(written: WrittenGateway): GatewaySpec {
  return {
    type: "gateway",
    name: written.name,
    backend: (written.backend ?? written.backends?.[0]) as GatewayBackend,
    region: written.region,
    default: written.default,
    instanceType: written.instance_type,
    domain: written.domain,
    publicIp: written.public_ip,
    loadBalancer: written.load_balancer,
    certificate: written.certificate,
    replicas: written.replicas,
    tags: written.tags,
    router: written.router,
  };
}
