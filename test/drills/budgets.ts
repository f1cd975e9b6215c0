/** What DESIGN and the drills' own purpose allow, in milliseconds, by the name of a finding's time. */
export const BUDGETS_MS: Readonly<Record<string, number>> = {
  outOfRouter: 2_000,
  // Its host accepts connections, so it is only told by its silence: asked every 2 s, given 5 s to answer.
  outOfRouterFrozen: 8_000,
  restartDecided: 5_000,
  // SMG looks at a worker every 2 s and its breaker closes after 2 s; the engine's /health takes one.
  servingAfterReady: 3_000,
  proxyServingAfterReady: 3_000,
  listedAfterReturn: 3_000,
  servingAfterReturn: 3_000,
  proxyServingAfterReturn: 3_000,
  linkedAfterReturn: 2_000,
  // After two minutes in vain an agent dials every six to twelve seconds.
  servingAfterOutage: 15_000,
  linkedAfterOutage: 15_000,
  replacementDecided: 45_000,
  forwardOut: 2_000,
  forwardRestart: 5_000,
  backwardOut: 2_000,
  backwardRestart: 5_000,
  restartedOut: 2_000,
  restartedRestart: 5_000,
};
