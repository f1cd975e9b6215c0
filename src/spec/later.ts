/**
 * What the language has and this version does not: every word here is refused as known but not supported yet, instead
 * of as a slip. Supporting one means moving it from here into its schema; when all is empty this file goes.
 */
export const later = {
  types: ["task", "dev-environment", "fleet", "gateway", "volume", "preset"],
  fields: {
    service: [
      "availability_zones",
      "backend_options",
      "backends",
      "creation_policy",
      "dstack",
      "files",
      "fleets",
      "gateway",
      "home_dir",
      "https",
      "idle_duration",
      "instance_types",
      "instances",
      "max_duration",
      "max_price",
      "priority",
      "rate_limits",
      "regions",
      "registry_auth",
      "repos",
      "reservation",
      "retry",
      "router",
      "schedule",
      "setup",
      "single_branch",
      "spot_policy",
      "startup_order",
      "stop_criteria",
      "strip_prefix",
      "tags",
      "utilization_policy",
    ],
    group: ["reservation", "spot_policy"],
    model: ["chat_template", "eos_token"],
    volume: ["name"],
  } as Record<string, readonly string[]>,
  modelFormats: ["tgi"],
};

/** @param what with an article where it needs one, e.g. `` `rate_limits` `` or "the network volume `data`" */
export function notYet(what: string): string {
  return `${what.charAt(0).toUpperCase()}${what.slice(1)} is known but not supported yet; remove it.`;
}
