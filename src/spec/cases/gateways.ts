import type { Suite } from "./case.ts";

const gateway = "type: gateway\nname: edge\n";
const aws = `${gateway}backend: aws\nregion: eu-west-1\n`;
const gcp = `${gateway}backend: gcp\nregion: europe-west4\n`;
const arn = "arn:aws:acm:eu-west-1:123456789012:certificate/0123-ab";

/** Files of `type: gateway`. */
export const gateways: Suite = {
  means: [
    [
      aws,
      "",
      {
        type: "gateway",
        name: "edge",
        backend: "aws",
        region: "eu-west-1",
        default: null,
        instanceType: null,
        domain: null,
        publicIp: true,
        loadBalancer: null,
        certificate: { type: "lets-encrypt" },
        replicas: 1,
        tags: {},
        router: null,
      },
    ],
    [`${gateway}backends: [kubernetes]\nregion: any`, "backend", "kubernetes"],
    [`${aws}default: yes`, "default", true],
    [`${aws}instance_type: t3.large`, "instanceType", "t3.large"],
    [`${aws}domain: models.example.com`, "domain", "models.example.com"],
    [`${aws}domain: "*.models.example.com"`, "domain", "models.example.com"],
    [`${aws}domain: \${{ run.project_name }}.example.com`, "domain", "$" + "{{ run.project_name }}.example.com"],
    [`${aws}public_ip: no\ncertificate: null`, "publicIp", false],
    [`${aws}certificate: null`, "certificate", null],
    [`${aws}certificate: {type: lets-encrypt}`, "certificate", { type: "lets-encrypt" }],
    [`${aws}certificate: {type: acm, arn: "${arn}"}`, "certificate", { type: "acm", arn }],
    [`${aws}load_balancer: {type: alb}\ncertificate: {type: acm, arn: "${arn}"}`, "loadBalancer", { type: "alb" }],
    [`${aws}load_balancer: {type: alb}\ncertificate: null`, "certificate", null],
    [
      `${gcp}load_balancer: {type: alb}\ncertificate: {type: gcp-cm, name: models}`,
      "certificate",
      { type: "gcp-cm", name: "models" },
    ],
    [`${aws}replicas: 2\ncertificate: null`, "replicas", 2],
    [`${aws}tags: {team: search}`, "tags", { team: "search" }],
    [`${aws}router: {type: sglang, policy: cache_aware}`, "router", { type: "smg", policy: "cache_aware" }],
    [`${aws}router: {type: smg}`, "router", { type: "smg", policy: null }],
  ],
  refused: [
    [`${gateway}region: any`, 1, "`backend` is missing"],
    [`${gateway}backend: aws`, 1, "`region` is missing"],
    [`${gateway}backend: lambda\nregion: x`, 3, "`lambda` is not one of"],
    [`${aws}backends: [aws]`, 5, "`backends` is the older spelling of `backend`"],
    [`${gateway}backends: [aws, gcp]\nregion: x`, 3, "A gateway runs at one cloud"],
    [`${gateway}backends: []\nregion: x`, 3, "A gateway runs at one cloud"],
    [`${aws}domain: models`, 5, "`models` is no domain"],
    [`${aws}domain: https://models.example.com`, 5, "is no domain"],
    [`${aws}domain: \${{ run.name }}.example.com`, 5, "has no value here", "run.project_name"],
    [`${aws}domian: models.example.com`, 5, "did you mean `domain`?"],
    [`${aws}instance_type: ""`, 5, "cannot be a name at a cloud"],
    [`${aws}public_ip: false`, 5, "must reach the gateway from the internet", "`certificate: null`"],
    [
      `${gateway}backend: azure\nregion: x\npublic_ip: false\ncertificate: null`,
      5,
      "`public_ip: false` is possible at aws and gcp, not at `azure`",
    ],
    [
      `${gateway}backend: kubernetes\nregion: any\nload_balancer: {type: alb}`,
      5,
      "`load_balancer` is possible at aws and gcp",
    ],
    [`${aws}load_balancer: {type: alb}`, 5, "takes a certificate of `acm`"],
    [`${aws}load_balancer: {type: nlb}\ncertificate: null`, 5, "`nlb` is not `alb`"],
    [`${aws}load_balancer: {type: alb}\ncertificate: {type: lets-encrypt}`, 6, "takes a certificate of `acm`"],
    [`${gcp}load_balancer: {type: alb}\ncertificate: {type: lets-encrypt}`, 6, "takes a certificate of `gcp-cm`"],
    [`${gcp}certificate: {type: acm, arn: "${arn}"}`, 5, "Certificates of `acm` exist at `aws` only"],
    [`${gcp}certificate: {type: gcp-cm, name: m}`, 5, "needs `backend: gcp` and `load_balancer: {type: alb}`"],
    [`${aws}certificate: {type: acm}`, 5, "`arn` is missing"],
    [`${aws}certificate: {type: acm, arn: mine}`, 5, "`mine` is no ARN of a certificate"],
    [`${aws}certificate: {type: lets-encrypt, arn: "${arn}"}`, 5, "`arn` names a certificate of `acm`"],
    [`${aws}certificate: {type: letsencrypt}`, 5, "did you mean `lets-encrypt`?"],
    [`${aws}replicas: 0`, 5, "1 to 9 replicas"],
    [`${aws}replicas: 10\ncertificate: null`, 5, "1 to 9 replicas"],
    [`${aws}replicas: 2`, 5, "Let's Encrypt", "one replica"],
    [`${aws}router: {type: dynamo}`, 5, "`dynamo` is not one of"],
    [`${aws}router: {policy: cache-aware}`, 5, "did you mean `cache_aware`?"],
  ],
  notes: [
    [
      `${aws}router: {type: sglang}`,
      "1 type: Gateways do not exist yet. Services are reached through the control plane, at `/proxy/services/PROJECT/SERVICE/` and `/proxy/models/PROJECT/`; for a domain of your own put a reverse proxy in front of it.",
      "5 router: Until gateways exist, write `router` into each service that would be behind this one.",
    ],
  ],
};
