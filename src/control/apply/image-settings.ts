import type { ImageSettings } from "../../adapters/index.ts";

/** Where the server's operator names images for groups that name none, on both runtimes. */
const VARIABLES = {
  base: "HEADRACE_IMAGE_BASE",
  python: "HEADRACE_IMAGE_PYTHON",
  cuda: "HEADRACE_IMAGE_CUDA",
  docker: "HEADRACE_IMAGE_DOCKER",
} as const satisfies Record<keyof ImageSettings, string>;

export type ImageVariables = Partial<Record<(typeof VARIABLES)[keyof ImageSettings], string>>;

/**
 * The server's `images` settings. An empty variable counts as unset.
 * @throws Error for people, naming the variable that is no image
 */
export function imageSettings(env: ImageVariables): ImageSettings {
  const read = (kind: keyof ImageSettings) => {
    const written = env[VARIABLES[kind]] || null;
    if (written === null || /^[\x21-\x7e]{1,500}$/.test(written)) return written;
    throw new Error(`${VARIABLES[kind]} is ${JSON.stringify(written)}, which is no container image: write name:tag.`);
  };
  return { base: read("base"), python: read("python"), cuda: read("cuda"), docker: read("docker") };
}

/** The variables that say the same, for a server that is elsewhere. */
export function imageVariables(settings: ImageSettings): ImageVariables {
  const variables: ImageVariables = {};
  for (const kind of Object.keys(VARIABLES) as (keyof ImageSettings)[]) {
    const image = settings[kind];
    if (image !== null) variables[VARIABLES[kind]] = image;
  }
  return variables;
}
