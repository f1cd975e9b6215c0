interface ProbeOf1 {
  url: string;
  headers: { name: string; value: string }[];
  body: string | null;
}

interface SpecOf1 {
  port: unknown;
  env: Record<string, string | null>;
  probes: ProbeOf1[] | null;
  volumes: object[];
  groups: { router: object | null; commands: string[] }[];
}

/**
 * A revision of schema 1 as one of schema 2: what stood on the service now stands in each group, references have come
 * to exist (so that a `$$` that was text until then is written as `$$$$`), and what could not be said before has its
 * default.
 */
export function upgradeRevisionTo2(body: unknown): unknown {
  const revision = body as { spec: SpecOf1 };
  const { port, env, probes, volumes, groups, ...spec } = revision.spec;
  return {
    ...revision,
    secrets: {},
    files: [],
    spec: {
      ...spec,
      groups: groups.map(({ router, commands, ...group }) => ({
        ...group,
        nodes: 1,
        router: router && { ...router, generated: null },
        commands: commands.map(escaped),
        port,
        env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value && escaped(value)])),
        probes: probes === null ? null : probes.map(escapedProbe),
        volumes: volumes.map((volume) => ({ kind: "instance", ...volume })),
        fleets: null,
        spotPolicy: "on-demand",
        reservation: null,
      })),
      registryAuth: null,
      files: [],
      priority: 0,
      gateway: null,
      https: null,
      stripPrefix: true,
      rateLimits: [],
      rollout: { maxSurge: { replicas: 1 }, maxUnavailable: { replicas: 0 }, canary: null },
      profile: {
        backends: null,
        regions: null,
        availabilityZones: null,
        instanceTypes: null,
        retry: null,
        maxDurationS: null,
        maxPrice: null,
        creationPolicy: "reuse-or-create",
        idleDurationS: 300,
        utilizationPolicy: null,
        startupOrder: "any",
        stopCriteria: "all-done",
        instances: null,
        tags: {},
        backendOptions: [],
      },
    },
  };
}

function escapedProbe(probe: ProbeOf1): ProbeOf1 {
  const { url, headers, body } = probe;
  return {
    ...probe,
    url: escaped(url),
    headers: headers.map(({ name, value }) => ({ name, value: escaped(value) })),
    body: body && escaped(body),
  };
}

function escaped(text: string): string {
  return text.replaceAll("$$", "$$$$$$$$");
}
