import type { Suite } from "./case.ts";

/** Two groups, of which the second names the first's replica. */
const pair = (first: string, reference: string) =>
  `groups:\n  - {${first}, commands: [a]}\n  - {replicas: 1, commands: ['b \${{ ${reference} }}']}`;

/** What is filled into texts: `${{ namespace.name }}`. */
export const references: Suite = {
  means: [
    ["commands: ['serve ${{ run.args }}']", "groups.0.commands", [`serve --tp '8 9' 'it'"'"'s' '$$HOME'`]],
    ["commands: ['a $${{ run.args }} $$ $X ${Y}']", "groups.0.commands", ["a $${{ run.args }} $$ $X ${Y}"]],
    ["commands: ['${{run.args}}', b]", "groups.0.commands.1", "b"],
    ["env: {A: 'x${{ secrets.TOKEN }}'}", "groups.0.env", { A: "x${{ secrets.TOKEN }}" }],
    ["env: ['A=${{ secrets.TOKEN }}']", "groups.0.env", { A: "${{ secrets.TOKEN }}" }],
    ["env: [KEY]\nprobes: [{type: http, url: '/h?k=${{ env.KEY }}'}]", "groups.0.probes.0.url", "/h?k=${{ env.KEY }}"],
    ["env: [KEY]\nprobes: [{type: http, headers: [{name: a, value: '${{ env.KEY }}'}]}]", "name", "demo"],
    ["probes: [{type: http, body: '${{ env.GIVEN }}'}]", "groups.0.probes.0.body", "${{ env.GIVEN }}"],
    [
      "env: [U]\nregistry_auth: {username: '${{ env.U }}', password: '${{ secrets.P }}'}",
      "registryAuth.username",
      "${{ env.U }}",
    ],
    [
      pair("replicas: 2", "groups[0].replicas[1].IP_ADDRESS"),
      "groups.1.commands.0",
      "b ${{ groups[0].replicas[1].IP_ADDRESS }}",
    ],
    [
      "probes: [{type: http, url: '/${{ env.A }}'}]\ngroups: [{replicas: 1, commands: [x], env: [A]}]",
      "groups.0.probes.0.url",
      "/${{ env.A }}",
    ],
  ],
  refused: [
    ["commands: ['a ${{ secrets.T }}']", 4, "`${{ secrets.T }}` cannot stand here", "put it into `env`", "write `$T`"],
    ["commands: ['a ${{ env.T }}']", 4, "as the shell does", "write `$T`"],
    ["commands: ['a ${{ run.name }}']", 4, "`${{ run.name }}` cannot stand here", "`${{ run.args }}`"],
    ["commands: ['a ${{ x']", 4, "is not closed"],
    ["commands: ['a ${{ a.b.c }}']", 4, "`a.b.c` is no reference"],
    ["env: {A: '${{ env.B }}'}", 4, "cannot stand here", "`${{ secrets.NAME }}` can"],
    ["env: {A: '${{ groups[0].replicas[0].IP_ADDRESS }}'}", 4, "in commands alone", "`export NAME="],
    ["env: ['A=${{ secrets }}']", 4, "`secrets` is no reference"],
    ["probes: [{type: http, url: '/${{ secrets.A }}'}]", 4, "cannot stand here", "`${{ env.NAME }}` can"],
    ["env: [B]\nprobes: [{type: http, url: '/${{ env.A }}'}]", 5, "names no variable of `env`", "`B` or `GIVEN`"],
    ["env: [B]\nprobes: [{type: http, body: '${{ env.A }}'}]", 5, "names no variable"],
    [
      "groups:\n  - replicas: 1\n    commands: [x]\n    env: [A]\n  - replicas: 1\n    commands: [x]\n    probes: [{type: http, url: '/${{ env.A }}'}]",
      10,
      "names no variable of `env`",
    ],
    ["registry_auth: {username: '${{ env.U }}', password: x}", 4, "`${{ env.U }}` names no variable"],
    ["registry_auth: {username: '${{ run.args }}', password: x}", 4, "`${{ env.NAME }}` and `${{ secrets.NAME }}` can"],
    [pair("replicas: 1", "groups[2].replicas[0].IP_ADDRESS"), 6, "names no group", "groups[0] to groups[1]"],
    [pair("replicas: 1", "groups[0].replicas[1].IP_ADDRESS"), 6, "need not be there", "only replicas[0]"],
    [pair("replicas: 0", "groups[0].replicas[0].IP_ADDRESS"), 6, "may be nowhere", "at least 1"],
    [pair("replicas: 1", "groups[1].replicas[0].IP_ADDRESS"), 6, "its own address", "`$HEADRACE_ADDRESS`"],
    ["groups: [{replicas: 1, image: x, commands: ['a ${{ groups[1].replicas[0].IP_ADDRESS }}']}]", 4, "only groups[0]"],
    [pair("replicas: 1", "groups[0].nodes[0].IP_ADDRESS"), 6, "is no reference"],
    ["commands: ['x ${{ groups[0].replicas[0].IP_ADDRESS }}']", 4, "its own address"],
  ],
};
