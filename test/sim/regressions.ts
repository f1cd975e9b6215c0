/** Seeds that once broke a rule, with what they found. They are run again each time, before any others. */
export const REGRESSIONS: readonly { seed: number; found: string }[] = [
  { seed: 11, found: "a host that was called silent stayed so, since what it reported was nothing new" },
  { seed: 1012, found: "SMG listed a worker that was not ready, by an offer made for one that had been there before" },
  {
    seed: 1048,
    found: "a job that its agent had not decided about yet passed for gone, and its accelerator was given away",
  },
  {
    seed: 1045,
    found: "a server that another one had overtaken told a host that had just booted to run what was gone",
  },
  { seed: 3017, found: "workers waited for a router on a lost host, since it was on its way out already" },
  {
    seed: 225_102,
    found: "a worker quiesced while the proxy still sent to it, since its commit had been long on its way",
  },
  ...[601_785, 602_039].map((seed) => ({
    seed,
    found: "a host that another server had removed kept its link, and was refused over it for ever",
  })),
  {
    seed: 841_738,
    found: "a machine that was removed and joined again got a port that a router which was cut off still listed",
  },
  {
    seed: 802_778,
    found: "a host that was removed while it was let in kept its link, and was refused over it for ever",
  },
  ...[10_024, 10_700, 10_850].map((seed) => ({
    seed,
    found: "a router that was cut off listed whoever got the port of a worker that was gone",
  })),
];
