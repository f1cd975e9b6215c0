import { expect, test } from "vitest";
import { isInlineDeclaration, parseDeclarationFile, parseInlineDeclaration } from "./declare.ts";

const h200 = (index: number) => ({ index, name: "H200", vendor: "nvidia", memoryGib: 141 });

test("a file declares what a host has, as JSON or YAML", async () => {
  const json =
    '{"cpus":128,"memoryGib":1024,"diskGib":2000,"accelerators":[{"name":"H200","memoryGib":141,"vendor":"nvidia","count":2}]}';
  const yaml = "cpus: 128\nmemoryGib: 1024\ndiskGib: 2000\naccelerators:\n  - {name: h200, count: 2}\n";
  const expected = { cpus: 128, memoryGib: 1024, diskGib: 2000, accelerators: [h200(0), h200(1)] };
  expect(await parseDeclarationFile(json)).toEqual(expected);
  expect(await parseDeclarationFile(yaml)).toEqual(expected);
});

test("what a file leaves out is not declared; an empty list declares none", async () => {
  expect(await parseDeclarationFile("cpus: 4")).toEqual({ cpus: 4 });
  expect(await parseDeclarationFile("accelerators: []")).toEqual({ accelerators: [] });
});

test("a command line declares the same in one word", () => {
  expect(parseInlineDeclaration("cpu=128,memory=1TB,disk=2000,arch=arm,gpu=H200:2")).toEqual({
    cpus: 128,
    memoryGib: 1024,
    diskGib: 2000,
    arch: "arm",
    accelerators: [h200(0), h200(1)],
  });
  expect(parseInlineDeclaration("gpu=H200")).toEqual({ accelerators: [h200(0)] });
});

test("accelerators of several kinds are numbered through, and the memory may be said", () => {
  expect(parseInlineDeclaration("gpu=A100:40GB:1, gpu=MI300X:2:192GB").accelerators).toEqual([
    { index: 0, name: "A100", vendor: "nvidia", memoryGib: 40 },
    { index: 1, name: "MI300X", vendor: "amd", memoryGib: 192 },
    { index: 2, name: "MI300X", vendor: "amd", memoryGib: 192 },
  ]);
});

test.each([
  ["", '"" is not a declaration; write cpu, memory, disk, arch or gpu'],
  ["cpus=4", '"cpus=4" is not a declaration'],
  ["cpu=4,,gpu=H200", '"" is not a declaration'],
  ["cpu=four", '"cpu=four" needs a number above 0'],
  ["cpu=4GB", '"cpu=4GB" needs a number above 0'],
  ["memory=0", '"memory=0" needs a number above 0'],
  ["memory=4PB", '"memory=4PB" needs a number above 0'],
  ["cpu=4,cpu=8", '"cpu" is declared twice'],
  ["arch=mips", '"arch=mips" is neither arch=x86 nor arch=arm'],
  ["gpu=8", '"gpu=8" is not an accelerator; write gpu=NAME'],
  ["gpu=H200:0", '"gpu=H200:0" is not an accelerator'],
  ["gpu=H200:2:3", '"gpu=H200:2:3" is not an accelerator'],
  ["gpu=H200:8:", '"gpu=H200:8:" is not an accelerator'],
  ["gpu=H200:99999", '"gpu=H200:99999" is not an accelerator'],
  ["gpu=H200:600,gpu=H100:600", "a host has at most 1024 accelerators, not 1200"],
  ["gpu=Q77:2", 'the vendor of "Q77" is not known here'],
])("the command line %j is refused", (text, message) => {
  expect(() => parseInlineDeclaration(text)).toThrow(message);
});

test.each([
  ["cpus: [", "the declaration is not YAML or JSON"],
  ["", "the document"],
  ["cpu: 4", '"cpu"'],
  ["cpus: -1", "cpus: "],
  ["accelerators:\n  - {name: H200, count: 0}", "accelerators.0.count: "],
  ["accelerators:\n  - {name: Q77, vendor: intel}", 'the memory of "Q77" is not known here'],
  ["accelerators:\n  - {name: Q77, memoryGib: 10}", 'the vendor of "Q77" is not known here'],
])("the file %j is refused", async (text, message) => {
  await expect(parseDeclarationFile(text)).rejects.toThrow(message);
});

test("a declaration is told from the name of a file", () => {
  expect(["cpu=4", "gpu=H200:8", " memory = 4"].map(isInlineDeclaration)).toEqual([true, true, true]);
  expect(["host.yml", "./cpu=4.json", "/etc/cpu"].map(isInlineDeclaration)).toEqual([false, false, false]);
});
