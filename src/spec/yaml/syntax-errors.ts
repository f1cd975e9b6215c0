import type { YAMLError } from "yaml";

/**
 * The YAML library's findings in words for someone who writes YAML now and then: what is wrong, then what to write.
 * The library's own sentences are not shown: they repeat text of the file, which may be a secret.
 */
const sentences: Record<YAMLError["code"], string> = {
  TAB_AS_INDENT: "A tab is used for indentation, which YAML does not allow; use spaces.",
  BAD_INDENT: "The indentation does not fit what stands above, or a `[` or `{` is not closed; align it and close it.",
  BLOCK_AS_IMPLICIT_KEY:
    "There are two `: ` on one line, or the line below is indented under a finished value; put the value in quotes, or fix the indentation.",
  MULTILINE_IMPLICIT_KEY: "This line has no `:` after its key, or its value runs on into the next key; add the `:`.",
  MISSING_CHAR: "Something that was opened is not closed, or a character is missing; close the quote or bracket.",
  BAD_SCALAR_START: "A value cannot begin with this character unless it is in quotes; put the value in quotes.",
  BAD_DQ_ESCAPE: "This backslash begins no escape that YAML knows; write `\\\\`, or use single quotes.",
  UNEXPECTED_TOKEN: "This does not belong here; check the indentation of this line and the one above.",
  BAD_ALIAS:
    "An alias (`*name`) or anchor (`&name`) is malformed; put the value in quotes if it begins with `*` or `&`.",
  ALIAS_PROPS: "An alias (`*name`) cannot have an anchor or tag of its own; remove the anchor or tag.",
  MULTIPLE_ANCHORS: "A value can have only one anchor (`&name`); remove the others.",
  MULTIPLE_TAGS: "A value can have only one tag (`!name`); remove them.",
  MULTIPLE_DOCS: "There is more than one document; keep one and put the others into files of their own.",
  TAG_RESOLVE_FAILED:
    "A `!` makes a tag of what follows it, and this is none; put the value in quotes or remove the tag.",
  BAD_COLLECTION_TYPE: "The tag (`!name`) does not fit what follows it; remove the tag.",
  BAD_PROP_ORDER: "An anchor or tag stands before the `-`, `?` or `:` it belongs behind; move or remove it.",
  BAD_DIRECTIVE: "A line that begins with `%` is a directive, and this is none; remove the line.",
  BLOCK_IN_FLOW:
    "Within `[...]` or `{...}` nothing can be written as lines; close the bracket first, or write it all as lines.",
  DUPLICATE_KEY: "This key is written twice; keep one of them.",
  NON_STRING_KEY: "A key is a word; put it in quotes.",
  RESOURCE_EXHAUSTION: "This is nested too deep or too large; write it flatter.",
  IMPOSSIBLE: "This cannot be read as YAML; check the quotes, brackets and indentation around it.",
  KEY_OVER_1024_CHARS: "This key is longer than 1024 characters; check for a missing `:` or quote.",
};

export function explainSyntax(error: YAMLError): string {
  return sentences[error.code];
}
