import type { Finding } from "../finding.ts";
import { quote } from "../quote.ts";
import { readFlag } from "../schema/fields.ts";
import { atKey, atValue, isMapping, isSet, type Raw } from "./raw.ts";

/** What must hold between the fields of a gateway. */
export function checkGateway(gateway: Raw): Finding[] {
  return [
    ...checkBackend(gateway),
    ...checkPublicIp(gateway),
    ...checkLoadBalancer(gateway),
    ...checkCertificate(gateway),
  ];
}

/** The cloud, in either spelling; null when it cannot be told. */
function backendOf(gateway: Raw): unknown {
  if (isSet(gateway, "backend")) return gateway.backend;
  return Array.isArray(gateway.backends) && gateway.backends.length === 1 ? gateway.backends[0] : null;
}

function checkBackend(gateway: Raw): Finding[] {
  if (isSet(gateway, "backend") && isSet(gateway, "backends")) {
    return [
      atKey(["backends"], "`backends` is the older spelling of `backend` and cannot stand beside it; remove it."),
    ];
  }
  if (!isSet(gateway, "backend") && !isSet(gateway, "backends")) {
    return [atValue(["backend"], "`backend` is missing: where the gateway runs; write for example `backend: aws`.")];
  }
  if (Array.isArray(gateway.backends) && gateway.backends.length !== 1) {
    return [atValue(["backends"], "A gateway runs at one cloud; write it as `backend`.")];
  }
  return [];
}

function checkPublicIp(gateway: Raw): Finding[] {
  if (!isSet(gateway, "public_ip") || readFlag(gateway.public_ip) !== false) return [];
  return onlyAt(gateway, "public_ip", "`public_ip: false`", ["aws", "gcp"]);
}

function onlyAt(gateway: Raw, key: string, what: string, backends: readonly string[]): Finding[] {
  const backend = backendOf(gateway);
  if (typeof backend !== "string" || backends.includes(backend)) return [];
  return [atValue([key], `${what} is possible at ${backends.join(" and ")}, not at ${quote(backend)}; remove it.`)];
}

function checkLoadBalancer(gateway: Raw): Finding[] {
  if (!isSet(gateway, "load_balancer")) return [];
  const elsewhere = onlyAt(gateway, "load_balancer", "`load_balancer`", ["aws", "gcp"]);
  if (elsewhere.length > 0) return elsewhere;
  const wanted = { aws: "acm", gcp: "gcp-cm" }[String(backendOf(gateway))];
  const type = certificateType(gateway);
  if (wanted === undefined || type === null || type === wanted) return [];
  const message = `TLS ends at the load balancer, which takes a certificate of \`${wanted}\` at ${quote(String(backendOf(gateway)))}; write \`certificate: {type: ${wanted}, ...}\`, or \`certificate: null\` for plain HTTP.`;
  return [isSet(gateway, "certificate") ? atValue(["certificate"], message) : atKey(["load_balancer"], message)];
}

/** What `certificate` says, or its default; null when it is null or cannot be read. */
function certificateType(gateway: Raw): string | null {
  if (!Object.hasOwn(gateway, "certificate")) return "lets-encrypt";
  const { certificate } = gateway;
  return isMapping(certificate) && typeof certificate.type === "string" ? certificate.type : null;
}

function checkCertificate(gateway: Raw): Finding[] {
  const type = certificateType(gateway);
  const at = (key: string, message: string) =>
    isSet(gateway, "certificate") ? atValue(["certificate"], message) : atKey([key], message);
  if (type === "lets-encrypt") return checkLetsEncrypt(gateway, at);
  const backend = backendOf(gateway);
  if (type === "acm" && backend !== null && backend !== "aws") {
    return [atValue(["certificate"], "Certificates of `acm` exist at `aws` only; write another `type`.")];
  }
  if (type === "gcp-cm" && backend !== null && (backend !== "gcp" || !isSet(gateway, "load_balancer"))) {
    return [
      atValue(["certificate"], "A certificate of `gcp-cm` needs `backend: gcp` and `load_balancer: {type: alb}`."),
    ];
  }
  return [];
}

/** Let's Encrypt asks the one host that serves the domain, over the internet. */
function checkLetsEncrypt(gateway: Raw, at: (key: string, message: string) => Finding): Finding[] {
  // The load balancer's own rule says what to write there.
  if (isSet(gateway, "load_balancer")) return [];
  const advice = "write `certificate: null`, or one of the cloud's own";
  const found: Finding[] = [];
  if (isSet(gateway, "public_ip") && readFlag(gateway.public_ip) === false) {
    found.push(at("public_ip", `Let's Encrypt, the default, must reach the gateway from the internet; ${advice}.`));
  }
  if (Number(gateway.replicas ?? 1) > 1) {
    found.push(
      at("replicas", `Certificates of Let's Encrypt, the default, are for a gateway of one replica; ${advice}.`),
    );
  }
  return found;
}
