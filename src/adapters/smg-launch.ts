import type { RouterAdapter } from "./types.ts";

/** The version whose flags and answers this adapter knows; what is installed already is taken as it is. */
const SMG_VERSION = "1.13.0";

/**
 * What a job of a router finds its own key in, to be given to the router, which then lets nobody else change its
 * workers. The agent shows the same key. Keys are made where secrets are; here it is a name.
 */
export const ROUTER_KEY = "HEADRACE_ROUTER_KEY";

/** The flags that make SMG ask for the key; `headrace` is whom it names in its log. */
export const KEY_FLAGS = `--control-plane-api-keys headrace:headrace:admin:$${ROUTER_KEY}`;

/**
 * The launch line of a router that was declared outside a group. It listens where its host is reached and nowhere else,
 * and says only what is wrong: at its usual level it writes two lines for each request.
 */
export const generateSmg: RouterAdapter["generate"] = ({ policy, pdDisaggregation }) => [
  `command -v smg >/dev/null || pip install smg==${SMG_VERSION}`,
  [
    "smg launch",
    ...(pdDisaggregation ? ["--pd-disaggregation"] : []),
    ...(policy === null ? [] : [`--policy ${policy}`]),
    // Otherwise SMG refuses this policy, unless two workers stand in its launch line.
    ...(policy === "power_of_two" ? ["--enable-igw"] : []),
    "--host $HEADRACE_ADDRESS --port $HEADRACE_PORT",
    "--prometheus-host $HEADRACE_ADDRESS --prometheus-port $HEADRACE_METRICS_PORT",
    KEY_FLAGS,
    "--log-level warn",
  ].join(" "),
];
