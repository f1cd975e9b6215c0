import { describe, expect, it } from "vitest";
import { readCommands } from "./shell-words.ts";

describe("readCommands", () => {
  const cases: [string, string, string[][]][] = [
    [
      "words",
      "python3 -m sglang.launch_server --port 8000",
      [["python3", "-m", "sglang.launch_server", "--port", "8000"]],
    ],
    [
      "continued lines",
      "smg launch \\\n  --host 0.0.0.0 \\\n  --port 8000\n",
      [["smg", "launch", "--host", "0.0.0.0", "--port", "8000"]],
    ],
    ["continued lines of Windows", "smg launch \\\r\n  --port 1\r\n", [["smg", "launch", "--port", "1"]]],
    ["separators", "a && b; c | d || e & f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]],
    ["subshells", "(cd /x; a)", [["cd", "/x"], ["a"]]],
    ["single quotes", "echo 'it is; # not' '$X'", [["echo", "it is; # not", "$X"]]],
    ["double quotes", 'echo "a \\"b\\" $X" "" c', [["echo", 'a "b" $X', "", "c"]]],
    ["quotes inside a word", `--flag="a b"'c'd`, [["--flag=a bcd"]]],
    ["escapes", "a\\ b \\#c", [["a b", "#c"]]],
    ["comments", "# first\na # rest && b\nc#d", [["a"], ["c#d"]]],
    ["a comment does not continue", "a # x \\\nb", [["a"], ["b"]]],
    ["variables as written", `a $X \${Y:-z w} $HOME/x`, [["a", "$X", `\${Y:-z w}`, "$HOME/x"]]],
    [
      "substitutions stay one word",
      "a --host $(hostname -I | awk '{print $1)}') `id -u`",
      [["a", "--host", "$(hostname -I | awk '{print $1)}')", "`id -u`"]],
    ],
    ["substitution in quotes", 'a "$(f "b c")" d', [["a", '$(f "b c")', "d"]]],
    ["redirections", "a > log 2>&1 < in --port 1 &> all", [["a", "--port", "1"]]],
    ["a number that is a word", "a 2 >x", [["a", "2"]]],
    ["here-documents", "cat <<EOF > f\nport: it's\nEOF\na --x", [["cat"], ["a", "--x"]]],
    ["here-strings", "a <<< 'text' b", [["a", "b"]]],
    ["environment prefixes", "A=1 B='2 3' python x", [["A=1", "B=2 3", "python", "x"]]],
    ["an open quote", "a 'b", [["a", "b"]]],
    ["nothing", " \n # only this\n", []],
  ];
  it.each(cases)("reads %s", (_name, script, expected) => {
    expect(readCommands(script)).toEqual(expected);
  });

  it("reads the text given to another shell", () => {
    expect(readCommands(`exec /bin/bash -lc "sh -c 'a --port 1'"`).at(-1)).toEqual(["a", "--port", "1"]);
  });

  it("ends on text that nests without end", () => {
    let script = "a";
    for (let level = 0; level < 8; level += 1) script = `sh -c ${JSON.stringify(script)}`;
    expect(readCommands(script).length).toBeLessThanOrEqual(4);
  });
});
