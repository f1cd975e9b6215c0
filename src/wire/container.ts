import * as z from "zod";

/**
 * What the container of a job does first.
 * - `shell`: the launch's `<shell> -i -c <script>`, in place of the image's entrypoint and command.
 * - `argv`: this command line, in place of them; there need be no shell in the image.
 * - `image`: what the image itself says.
 */
const containerCommand = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("shell") }),
  z.object({ kind: z.literal("argv"), argv: z.array(z.string()).min(1) }),
  z.object({ kind: z.literal("image") }),
]);

/** A folder or file of the host, and where the container finds it. Both are absolute. */
const containerVolume = z.object({
  source: z.string(),
  target: z.string(),
  /** Left out where the host has no such source; otherwise the job cannot start without it. */
  optional: z.boolean(),
  /**
   * What the fleet allows jobs to mount, of which the source is a part. It still has to be one once links are followed:
   * who may write to a folder can put a link to anywhere into it.
   */
  within: z.string().optional(),
});

/**
 * What only a container has. Devices are not named: the accelerators promised to the job decide them on its host, as the
 * NICs nearest to them and what stands in its `/dev` do.
 */
export const containerLaunch = z.object({
  /** As a person writes it: `name`, `name:tag`, `registry/name@digest`. */
  image: z.string(),
  /** What the image is pulled with, in plain text here; null = nobody. */
  registryAuth: z.object({ username: z.string(), password: z.string() }).nullable(),
  command: containerCommand,
  /** `user` or `user:group`, names of the image or ids; null = the image's. */
  user: z.string().nullable(),
  /** Only what the host's fleet allows comes here. */
  privileged: z.boolean(),
  /** Size of /dev/shm; null = that of the host for a job with accelerators, and what the engine gives else. */
  shmBytes: z.int().min(0).nullable(),
  volumes: z.array(containerVolume),
});
