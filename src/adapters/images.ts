import type { GroupSpec } from "../spec/types.ts";

/** Images for groups that name none, as the server's operator has set them; null = there is none for that. */
export interface ImageSettings {
  /** Has a shell and pip: what asks for nothing special, generated routers included. */
  base: string | null;
  /** For `python: 3.12`; `{python}` in it stands for the version. */
  python: string | null;
  /** For `nvcc: true`; may hold `{python}` too. */
  cuda: string | null;
  /** For `docker: true`: starts a Docker engine of its own within the container. */
  docker: string | null;
}

export const NO_IMAGES: ImageSettings = { base: null, python: null, cuda: null, docker: null };

/** What `{python}` stands for where a group asks for no version: the newest that engines are built for widely. */
const DEFAULT_PYTHON = "3.12";

/**
 * The images that the settings have for the groups of a service that name none. A group that is not in the answer, and
 * names none, runs as a process of its host.
 */
export function imagesFor(groups: readonly GroupSpec[], settings: ImageSettings): Record<string, string> {
  const images: Record<string, string> = {};
  for (const group of groups) {
    const image = group.image === null ? imageFor(group, settings) : null;
    if (image !== null) images[group.name] = image.replaceAll("{python}", group.python ?? DEFAULT_PYTHON);
  }
  return images;
}

/** What a group asks for counts, and where there is no image for that it gets none: another would lack it. */
function imageFor(group: GroupSpec, { base, python, cuda, docker }: ImageSettings): string | null {
  if (group.docker) return docker;
  if (group.nvcc) return cuda;
  return group.python === null ? base : python;
}
