import { registryOf } from "./engine.ts";

/** What of the engine's own words is shown: the beginning says what matters, and a report has little room. */
const ENGINE_WORDS_MAX = 200;

const FULL =
  "the disk of the Docker engine is full; make room (`docker system df` says what takes it, `docker image prune -a` " +
  "removes images that nothing uses)";

type Rule = [pattern: RegExp, text: (match: RegExpExecArray) => string];

/**
 * Why an image could not be pulled, for people. The engine answers 404 and 500 without much of a system, so its words
 * are read instead; they are those of the engine, of registries, and of Go's network code.
 * @param hasAuth whether a user name was sent along
 */
export function explainPull(image: string, words: string, hasAuth: boolean): string {
  const registry = registryOf(image);
  const rules: Rule[] = [
    [/no space left on device/i, () => FULL],
    [/toomanyrequests/i, () => `${registry} limits how much is pulled without an account; give one with registry_auth`],
    [/no matching manifest for (\S+)/i, (match) => `it was not built for ${match[1]}, which this host is`],
    [
      /unauthorized|no basic auth|authentication required|incorrect username|denied/i,
      () =>
        hasAuth
          ? `${registry} does not accept the user name and password in registry_auth, or they may not read this image`
          : `${registry} wants to know who asks, or has no such image; give registry_auth, and look at the name`,
    ],
    [/manifest.*unknown|name.unknown|not found/i, () => `${registry} has no such image; look at its name and tag`],
    [/invalid reference|invalid tag/i, () => "this is not the name of an image"],
    [/x509:/, () => `the certificate of ${registry} is not one that this host trusts`],
    [
      /server gave HTTP response to HTTPS/i,
      () => `${registry} speaks HTTP only; name it in insecure-registries of the engine's daemon.json`,
    ],
    [
      /connection refused|no such host|i\/o timeout|no route|unreachable|handshake|deadline exceeded|reset by peer|EOF|timeout/i,
      () => `${registry} cannot be reached from this host`,
    ],
  ];
  return `the image ${image} cannot be pulled: ${said(rules, words)}`;
}

/** Why a container could not be made or started, for people. */
export function explainStart(image: string, words: string): string {
  const rules: Rule[] = [
    [/no space left on device/i, () => FULL],
    [
      /could not select device driver "nvidia"|runtime specified nvidia/i,
      () => "the engine cannot hand out NVIDIA devices; install nvidia-container-toolkit on this host",
    ],
    [
      /bind source path does not exist: (\S+)/i,
      (match) => `this host has no ${match[1]}, which a volume asks for; make it, or say \`optional: true\``,
    ],
    [/gathering device information.*?(\/dev\/[^\s"':]+)/i, (match) => `this host has no device ${match[1]} any more`],
    [
      /unable to apply caps|setting rlimit|oom_score_adj|final child's PID/i,
      () => "the Docker engine itself may not grant what the container wants (it runs with few capabilities)",
    ],
    [/exec format error/i, () => `the image ${image} was built for another kind of CPU than this host's`],
    [/unable to find (user|group) ([^\s:]+)/i, (match) => `the image ${image} has no ${match[1]} ${match[2]}`],
    [
      /exec:? "([^"]+)".*(not found|no such file)/i,
      (match) => `the image ${image} has no program ${match[1]}; look at \`entrypoint\` and \`shell\``,
    ],
    [/permission denied/i, () => `the image ${image} does not let its program be run`],
  ];
  return said(rules, words);
}

function said(rules: Rule[], words: string): string {
  const own = `the Docker engine says: ${words.slice(0, ENGINE_WORDS_MAX)}`;
  for (const [pattern, text] of rules) {
    const match = pattern.exec(words);
    if (match !== null) return `${text(match)} (${own})`;
  }
  return own;
}
