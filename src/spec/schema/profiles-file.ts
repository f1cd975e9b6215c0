import * as z from "zod";
import { flag, mapping, optional, required, type Standing, text } from "./fields.ts";
import { noSchedule, profileFields } from "./profile.ts";

/** One profile. A schedule is for tasks and is only refused where the profile is used for a service. */
export const profile = mapping("profile", {
  name: required(
    text.refine((name) => name !== "", "This name is empty; write what `--profile` shall be given."),
    { description: "What `--profile` is given to use it", examples: ["spot"] },
  ),
  default: optional(flag, false, {
    description: "Whether it is used when no other is asked for",
    examples: [true],
  }),
  ...profileFields,
  schedule: z
    .unknown()
    .optional()
    .meta({
      description: "When tasks are started",
      examples: [{ cron: "0 8 * * *" }],
      standing: { kind: "refused", why: `where a service uses the profile. ${noSchedule}` } satisfies Standing,
    }),
});

/** A file of profiles, `.dstack/profiles.yml` beside the configurations. */
export const profilesFile = mapping("profiles file", {
  profiles: required(z.array(profile), {
    description: "Sets of parameters that configurations can share",
    examples: [[{ name: "spot", spot_policy: "auto" }]],
  }),
});
