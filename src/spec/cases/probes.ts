import type { Suite } from "./case.ts";

/** What makes a replica ready. */
export const probes: Suite = {
  means: [
    [
      "probes: [{type: http}]",
      "groups.0.probes.0",
      { url: "/", method: "get", headers: [], body: null, timeout: 10, interval: 15, readyAfter: 1, untilReady: false },
    ],
    [
      "probes: [{type: http, url: /h, timeout: 5m, interval: 1s, ready_after: 3, until_ready: yes}]",
      "groups.0.probes.0",
      { url: "/h", timeout: 300, interval: 1, readyAfter: 3, untilReady: true },
    ],
    ["probes: [{type: http, method: post, body: '{}'}]", "groups.0.probes.0", { method: "post", body: "{}" }],
    ["probes: [{type: http, body: x}]", "groups.0.probes.0.body", "x"],
    ["probes:", "groups.0.probes", null],
    ["probes: []", "groups.0.probes", []],
    ["probes: [{type: http}]\ngroups: [{replicas: 1, commands: [x], probes: []}]", "groups.0.probes", []],
    [
      "probes: [{type: http}]\ngroups: [{replicas: 1, commands: [x], probes: [{type: http, url: /b}]}, {replicas: 1, commands: [x]}]",
      "groups.0.probes.0.url",
      "/b",
    ],
    ["probes: [{type: http, url: /a}]\ngroups: [{replicas: 1, commands: [x]}]", "groups.0.probes.0.url", "/a"],
    ["probes: [{type: http, url: /a}, {type: http, url: /b}]", "groups.0.probes.1.url", "/b"],
  ],
  refused: [
    ["probes: [{url: /}]", 4, "`type` is missing"],
    ["probes: [{type: tcp}]", 4, "`tcp` is not `http`"],
    ["probes: [{type: http, url: health}]", 4, "`health` cannot be asked", "begins with `/`"],
    ["probes: [{type: http, url: '/a b'}]", 4, "percent-encoded"],
    [`probes: [{type: http, url: /${"x".repeat(2048)}}]`, 4, "at most 2048"],
    ["probes: [{type: http, method: GET}]", 4, "did you mean `get`?"],
    ["probes: [{type: http, method: get, body: x}]", 4, "A `get` request has no body", "`method: post`"],
    ["probes: [{type: http, method: head, body: x}]", 4, "A `head` request has no body"],
    ["probes: [{type: http, body: ''}]", 4, "1 to 2048 characters"],
    ["probes: [{type: http, timeout: 301}]", 4, "`301` is too long", "5m"],
    ["probes: [{type: http, timeout: 0.5}]", 4, "`0.5` is too short", "1s"],
    ["probes: [{type: http, interval: 0}]", 4, "`0` is too short"],
    ["probes: [{type: http, interval: 1h30m}]", 4, "`1h30m` is not a duration"],
    ["probes: [{type: http, ready_after: 0}]", 4, "`0` is out of bounds"],
    ["probes:\n  - type: http\n  - {type: http, url: /}", 6, "the same as probes[0]"],
    [
      `probes: [${Array.from({ length: 11 }, (_, index) => `{type: http, url: /${index}}`).join(", ")}]`,
      4,
      "at most 10",
    ],
    [`probes: [{type: http, headers: [${"{name: a, value: b}, ".repeat(17)}]}]`, 4, "at most 16 headers"],
    ["probes: [{type: http, headers: [{name: 'a b', value: c}]}]", 4, "`a b` is no header name"],
    ["probes: [{type: http, headers: [{name: a, value: ''}]}]", 4, "1 to 2048 printable characters"],
    ["probes: [{type: http, headers: [{name: a}]}]", 4, "`value` is missing"],
    ["probes: [{type: http, headers: {a: b}}]", 4, "Found a mapping where a list belongs"],
    ["probes: [{type: http, path: /}]", 4, "`path` is unknown here"],
    ["image: x\ngroups: [{replicas: 1, probes: [{type: htp}]}]", 5, "did you mean `http`?"],
  ],
};
