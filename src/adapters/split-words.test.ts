import { expect, it } from "vitest";
import { splitWords } from "./split-words.ts";

it.each<[string, string[]]>([
  ["", []],
  ["  /bin/sh  -c ", ["/bin/sh", "-c"]],
  ["python3 -m app --name 'a b' --x=\"c d\"", ["python3", "-m", "app", "--name", "a b", "--x=c d"]],
  [`a\\ b "q\\"q" 'it''s' ""`, ["a b", 'q"q', "its", ""]],
  [`"\\n" '\\n' \\n`, ["\\n", "\\n", "n"]],
  [`a && b; c | $HOME`, ["a", "&&", "b;", "c", "|", "$HOME"]],
  [`open 'to the end`, ["open", "to the end"]],
])("%s", (line, words) => {
  expect(splitWords(line)).toEqual(words);
});
