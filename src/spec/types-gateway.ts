import type { RouterPolicy } from "./types.ts";

export type GatewayBackend = "aws" | "azure" | "gcp" | "kubernetes";

/** Where a gateway's certificate comes from; null = it serves plain HTTP. */
export type Certificate =
  | { type: "lets-encrypt" }
  | { type: "acm"; arn: string }
  | { type: "gcp-cm"; name: string }
  | null;

/** A host that serves a domain and forwards to the services that name it. */
export interface GatewaySpec {
  type: "gateway";
  name: string;
  backend: GatewayBackend;
  region: string;
  /** null = the first gateway of a project becomes its default. */
  default: boolean | null;
  /** null = a small one without accelerators. */
  instanceType: string | null;
  /** Services get names below it. Kept as written, but without a leading `*.`: `${{ run.project_name }}` may stand in it. */
  domain: string | null;
  publicIp: boolean;
  loadBalancer: { type: "alb" } | null;
  certificate: Certificate;
  replicas: number;
  tags: Record<string, string>;
  /** From older files: each service behind this gateway that declares no router gets a router group made from this. */
  router: { type: "smg"; policy: RouterPolicy | null } | null;
}
