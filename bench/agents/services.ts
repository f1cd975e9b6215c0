/** Replicas of one of the services that fill the hosts: a router and its workers. */
const REPLICAS_PER_SERVICE = 125;

/** Replicas of a group at most, as the control plane has it. */
const REPLICAS_PER_GROUP = 1_000;

/** Replicas of a service that is one of many. */
const REPLICAS_OF_MANY = 100;

const RESOURCES = "resources: { cpu: 1.., memory: 1GB.., disk: 1GB.. }";

/** Services with this many replicas in all: routers with 124 workers each, the last with what is left. */
export function fillingServices(replicas: number): string[] {
  const configs: string[] = [];
  for (let left = replicas; left > 0; left -= REPLICAS_PER_SERVICE) {
    configs.push(routed(`filling-${configs.length}`, Math.min(left, REPLICAS_PER_SERVICE) - 1));
  }
  return configs;
}

function routed(name: string, workers: number): string {
  return `
type: service
name: ${name}
port: 8000
model: Qwen/Qwen3-8B
env: [MODEL_ID=Qwen/Qwen3-8B]
groups:
  - name: router
    count: 1
    router: { type: sglang }
    commands: ["smg launch --host $HEADRACE_ADDRESS --port $HEADRACE_PORT --prometheus-port $HEADRACE_METRICS_PORT"]
    ${RESOURCES}
  - name: worker
    count: ${workers}
    commands: ["python3 -m sglang.launch_server --model-path $MODEL_ID --host $HEADRACE_ADDRESS --port $HEADRACE_PORT"]
    ${RESOURCES}
`;
}

/** A service with one replica on each host: groups of a thousand, each of which goes where the others are not. */
export function serviceEverywhere(name: string, hosts: number): string {
  const groups: string[] = [];
  for (let left = hosts; left > 0; left -= REPLICAS_PER_GROUP) {
    groups.push(`
  - name: part-${groups.length}
    count: ${Math.min(left, REPLICAS_PER_GROUP)}
    commands: ["exec node-exporter --port $HEADRACE_PORT"]
    ${RESOURCES}`);
  }
  return `type: service\nname: ${name}\nport: 9500\ngroups:${groups.join("")}\n`;
}

/** The same of many services, each with a hundred replicas: the one port that they all ask for keeps them apart. */
export function servicesEverywhere(name: string, hosts: number): string[] {
  const configs: string[] = [];
  for (let left = hosts; left > 0; left -= REPLICAS_OF_MANY) {
    configs.push(serviceEverywhere(`${name}-${configs.length}`, Math.min(left, REPLICAS_OF_MANY)));
  }
  return configs;
}
