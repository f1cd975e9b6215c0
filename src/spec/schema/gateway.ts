import * as z from "zod";
import { readDomain } from "../grammar/domain.ts";
import { readInteger } from "../grammar/number.ts";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { Certificate, GatewaySpec } from "../types-gateway.ts";
import { flag, mapping, optional, required, type Standing, scalarOf, textOf } from "./fields.ts";
import { resourceName } from "./name.ts";
import { cloudName, tags } from "./offers.ts";

/** What a gateway can be spread over; its hosts all hold the same certificate and routes. */
const MAX_GATEWAY_REPLICAS = 9;

const withGateways: Standing = { kind: "later", when: "gateways exist" };

const backend = z.enum(["aws", "azure", "gcp", "kubernetes"]);

/** A mapping whose `type` says which: the rules see to it that the rest fits the type. */
const certificate = mapping("certificate", {
  type: required(z.enum(["lets-encrypt", "acm", "gcp-cm"]), {
    description: "Who issues it: lets-encrypt, acm (AWS) or gcp-cm (Google Cloud)",
    examples: ["lets-encrypt"],
    standing: withGateways,
  }),
  arn: optional(textOf(readArn), null, {
    description: "With `acm`: which certificate",
    examples: ["arn:aws:acm:eu-west-1:123456789012:certificate/0123"],
    standing: withGateways,
  }),
  name: optional(cloudName, null, {
    description: "With `gcp-cm`: which certificate",
    examples: ["models"],
    standing: withGateways,
  }),
}).transform(({ type, arn, name }, context): NonNullable<Certificate> => {
  const refuse = (message: string) => {
    context.issues.push({ code: "custom", message, input: type });
    return z.NEVER;
  };
  if (type !== "acm" && arn !== null)
    return refuse("`arn` names a certificate of `acm`; write `type: acm` or remove it.");
  if (type !== "gcp-cm" && name !== null)
    return refuse("`name` names a certificate of `gcp-cm`; write `type: gcp-cm` or remove it.");
  if (type === "acm") return arn === null ? refuse("`arn` is missing: which certificate of ACM.") : { type, arn };
  if (type === "gcp-cm")
    return name === null ? refuse("`name` is missing: which certificate of Google Cloud.") : { type, name };
  return { type };
});

const router = mapping("gateway router", {
  type: optional(z.enum(["smg", "sglang"]), "smg", {
    description: "The program that spreads requests: `smg`, or its older name `sglang`",
    examples: ["sglang"],
    standing: withGateways,
  }),
  policy: optional(z.enum(["cache_aware", "power_of_two", "random", "round_robin"]), null, {
    description: "How the router chooses a worker",
    examples: ["cache_aware"],
    standing: withGateways,
  }),
}).transform(({ policy }): GatewaySpec["router"] => ({ type: "smg", policy }));

/** A gateway as it is written; `rules/gateway.ts` has what must hold between its fields. */
export const gateway = mapping("gateway", {
  type: required(z.literal("gateway"), { description: "What the file describes", examples: ["gateway"] }),
  name: resourceName("What the gateway is called", "my-gateway"),
  backend: optional(backend, null, {
    description: "Where it runs: aws, azure, gcp or kubernetes",
    examples: ["aws"],
    standing: withGateways,
  }),
  backends: optional(z.array(backend), null, {
    description: "The older spelling of `backend`, a list of one",
    examples: [["kubernetes"]],
    standing: { kind: "extended", how: "a list of one, as older files have it, is taken as `backend`" },
  }),
  region: required(cloudName, {
    description: "The cloud's region; `any` for Kubernetes",
    examples: ["eu-west-1"],
    standing: withGateways,
  }),
  default: optional(flag, null, {
    description: "Whether services without a `gateway` of their own use it; the first of a project is",
    examples: [true],
    standing: withGateways,
  }),
  instance_type: optional(cloudName, null, {
    description: "The type of host at the cloud; a small one without accelerators when left out",
    examples: ["t3.large"],
    standing: withGateways,
  }),
  domain: optional(textOf(readDomain), null, {
    description: "Services get names below it; needed before a service can use the gateway",
    examples: ["models.example.com"],
    standing: withGateways,
  }),
  public_ip: optional(flag, true, {
    description: "Whether it is reached from the internet",
    examples: [false],
    standing: withGateways,
  }),
  load_balancer: optional(
    mapping("load_balancer", {
      type: required(z.literal("alb"), { description: "Only `alb` exists", examples: ["alb"], standing: withGateways }),
    }),
    null,
    { description: "Puts the cloud's own load balancer in front", examples: [{ type: "alb" }], standing: withGateways },
  ),
  certificate: nullable(certificate),
  replicas: optional(scalarOf(readReplicas), 1, {
    description: "How many hosts share the requests",
    examples: [2],
    standing: withGateways,
  }),
  tags,
  router: optional(router, null, {
    description: "From older files: the router of the services behind this gateway",
    examples: [{ type: "sglang", policy: "cache_aware" }],
    standing: {
      kind: "extended",
      how: "older files declare the router on the gateway: services behind it that declare none get a router group of their own once gateways exist; until then write `router` into the service",
    },
  }),
});

export type WrittenGateway = z.output<typeof gateway>;

/** The one field in which null means something: no certificate, plain HTTP. */
function nullable(schema: typeof certificate) {
  return schema
    .nullable()
    .optional()
    .transform((value): Certificate => (value === undefined ? { type: "lets-encrypt" } : value))
    .meta({
      description: "Where the certificate comes from; null for plain HTTP",
      examples: [{ type: "lets-encrypt" }],
      standing: withGateways,
      default: { type: "lets-encrypt" },
    });
}

function readArn(written: string): Result<string> {
  if (/^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/.test(written)) return good(written);
  return bad(`${quote(written)} is no ARN of a certificate; write \`arn:aws:acm:REGION:ACCOUNT:certificate/ID\`.`);
}

function readReplicas(written: string | number): Result<number> {
  return readInteger(written, `a gateway has 1 to ${MAX_GATEWAY_REPLICAS} replicas`, 1, MAX_GATEWAY_REPLICAS);
}
