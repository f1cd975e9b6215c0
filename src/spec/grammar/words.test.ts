import { describe, expect, test } from "vitest";
import type { Result } from "../result.ts";
import { readEnvItem, readEnvName } from "./env.ts";
import { readTemplateFor } from "./interpolation.ts";
import { readGroupName, readResourceName } from "./names.ts";
import { readInteger, readPositive } from "./number.ts";
import { readPort, readServicePort } from "./port.ts";
import { readAbsolutePath, readPython, readShell, readUnixUser } from "./process.ts";
import { readVolume } from "./volume.ts";

interface Table<W> {
  what: string;
  read: (written: W) => Result<unknown>;
  reads: [written: W, value: unknown][];
  refuses: W[];
}

/** One table for each small grammar; a value of `undefined` stands for the text itself. */
function check<W>({ what, read, reads, refuses }: Table<W>): void {
  describe(what, () => {
    test.each(reads)("reads %j", (written, value) => {
      expect(read(written)).toEqual({ ok: true, value: value === undefined ? written : value });
    });
    test.each(refuses.map((written) => [written]))("refuses %j", (written) => {
      const answer = read(written);
      expect(answer.ok).toBe(false);
      if (!answer.ok) expect(answer.problem).toMatch(/\.$/);
    });
  });
}

check<string>({
  what: "a resource's name",
  read: readResourceName,
  reads: [
    ["ab", undefined],
    ["a1", undefined],
    ["prefill-decode", undefined],
    [`a${"b".repeat(40)}`, undefined],
  ],
  refuses: ["", "a", "1a", "-a", "Ab", "a_b", "a.b", "a b", `a${"b".repeat(41)}`, "ab\n"],
});

check<string>({
  what: "a group's name",
  read: readGroupName,
  reads: [
    ["0", undefined],
    ["a", undefined],
    ["decode-2", undefined],
    ["a".repeat(40), undefined],
  ],
  refuses: ["", "-a", "A", "a_b", "a".repeat(41)],
});

check<string | number>({
  what: "a port",
  read: readPort,
  reads: [
    [1, 1],
    [65_535, 65_535],
    ["8000", 8000],
  ],
  refuses: [0, 65_536, -1, 80.5, "http", "", "80a", Number.NaN],
});

check<string | number>({
  what: "a service's port",
  read: readServicePort,
  reads: [
    [8000, 8000],
    ["8080:8000", 8000],
    ["*:8000", 8000],
  ],
  refuses: ["80:80:80", ":80", "80:", "0:80", "80:0", "a:80"],
});

check<string | number>({
  what: "a Python version",
  read: readPython,
  reads: [
    ["3.9", "3.9"],
    ["3.12", "3.12"],
    [3.12, "3.12"],
    [3.1, "3.10"],
    ["3.10", "3.10"],
    ["3.15", "3.15"],
  ],
  refuses: ["3.8", "3.16", "2.7", "3", 3, "3.12.1", "", "python3"],
});

check<string>({
  what: "a unix user",
  read: readUnixUser,
  reads: [
    ["root", undefined],
    ["1000", undefined],
    ["1000:1000", undefined],
    ["user:group", undefined],
    ["_svc.a-b$", undefined],
  ],
  refuses: ["", "a:b:c", ":b", "a:", "-1", "a b", "1a"],
});

check<string>({
  what: "a shell",
  read: readShell,
  reads: [
    ["sh", undefined],
    ["bash", undefined],
    ["/usr/bin/zsh", undefined],
  ],
  refuses: ["zsh", "", "./sh"],
});

check<string>({
  what: "an absolute path",
  read: readAbsolutePath,
  reads: [
    ["/", undefined],
    ["/a/b", undefined],
  ],
  refuses: ["", "a", "./a", "~/a"],
});

check<string>({
  what: "a volume",
  read: readVolume,
  reads: [
    ["/a/b:/c", { kind: "instance", instancePath: "/a/b", path: "/c", optional: false }],
    ["data:/c", { kind: "network", names: ["data"], path: "/c" }],
    ["data-${{ dstack.node_rank }}:/c", { kind: "network", names: ["data-${{ dstack.node_rank }}"], path: "/c" }],
  ],
  refuses: ["/a", "/a:/b:/c", "Data:/c", "data-${{ env.X }}:/c", "./a:/c", "/a:c", "/a/../b:/c", "/a:/../c", "", ":/c"],
});

check<string>({
  what: "an item of env",
  read: readEnvItem,
  reads: [
    ["A", { name: "A", value: null }],
    ["A=", { name: "A", value: "" }],
    ["A=b=c", { name: "A", value: "b=c" }],
    ["_a1=x y\nz", { name: "_a1", value: "x y\nz" }],
  ],
  refuses: ["", "1A=x", "A-B=x", "A B", "=x", "__proto__=x"],
});

check<string>({
  what: "a key of env",
  read: readEnvName,
  reads: [
    ["A", undefined],
    ["a.b-c", undefined],
  ],
  refuses: ["", "A=B", "A\0", "__proto__"],
});

check<string>({
  what: "a value of env",
  read: readTemplateFor("env"),
  reads: [
    ["echo $VAR ${VAR} ${VAR:-{}} $$ $(ls)", undefined],
    ["{{ jinja }}", undefined],
    ["a ${{ secrets.X }} b", undefined],
    ["$${{ env.X }}", undefined],
  ],
  refuses: ["a ${{env.X}} b", "${{ secrets }}", "${{ groups[0].replicas[0].IP_ADDRESS }}", "${{ open"],
});

check<string | number>({
  what: "a whole number",
  read: (written) => readInteger(written, "write 1 to 5", 1, 5),
  reads: [
    [5, 5],
    ["5", 5],
    ["+5", 5],
    [5.0, 5],
  ],
  refuses: [0, 6, 1.5, "1.5", "0x3", "", " "],
});

check<string | number>({
  what: "a number above 0",
  read: readPositive,
  reads: [
    [0.1, 0.1],
    ["3", 3],
    ["2.5", 2.5],
  ],
  refuses: [0, -1, "x", "", Number.POSITIVE_INFINITY, Number.NaN],
});
