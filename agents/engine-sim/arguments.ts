/** A command line that cannot be used. */
export class ArgumentError extends Error {
  override name = "ArgumentError";
}

/** Flags as argparse reads them: `--flag value` or `--flag=value`, the last of several wins. */
export interface Arguments {
  required(...spellings: string[]): string;
  text(...spellings: string[]): string | null;
  integer(spellings: string[], min: number): number | null;
  decimal(spelling: string, min: number): number | null;
  /** @returns the choice of that name; the one called `otherwise` when the flag is absent */
  oneOf<Choice>(
    spellings: string[],
    choices: readonly Choice[],
    name: (choice: Choice) => string,
    otherwise: string,
  ): Choice;
  /** Numbers up to the next flag. @returns null when the flag is absent */
  decimals(spelling: string): number[] | null;
  has(spelling: string): boolean;
  /** Every flag that was read so far, by all its spellings. */
  asked(): ReadonlySet<string>;
  /** One for each flag that is neither read here nor known to be SGLang's. */
  warnings(): string[];
}

/** Flags of SGLang that change nothing in a simulation, by what they begin with. */
const READ_OVER = (
  "--trust-remote-code --tokenizer --load-format --model-loader --dtype --kv-cache-dtype --quantization --device " +
  "--mem-fraction-static --page-size --schedule- --log- --show-time-cost --enable- --disable- --admin-api-key " +
  "--chat-template --tool-call-parser --reasoning-parser --disaggregation- --attn- --ep --pp --moe- --base-gpu-id " +
  "--gpu-id-step --nccl-port --cuda-graph- --num- --random-seed --prompt-tokens-buckets --generation-tokens-buckets " +
  "--stream- --attention-backend --decode-attention-backend --prefill-attention-backend --sampling-backend --hicache- " +
  "--lora- --max-lora --max-loaded-loras --load-balance-method " +
  "--speculative- --revision --api-key-file --warmups --json-model-override-args --weight-version --preferred-"
).split(" ");

export function parseArgs(argv: string[]): Arguments {
  const given = new Map<string, string | null>();
  const unplaced: { flag: string | null; word: string }[] = [];
  let last: string | null = null;
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] as string;
    const equals = word.indexOf("=");
    const next = argv[index + 1];
    if (!word.startsWith("--")) {
      unplaced.push({ flag: last, word });
      continue;
    }
    last = equals > 0 ? word.slice(0, equals) : word;
    const isAlone = equals < 0 && (next === undefined || next.startsWith("--"));
    const value = equals > 0 ? word.slice(equals + 1) : (next as string);
    given.set(last, isAlone ? null : value);
    if (equals < 0 && !isAlone) index += 1;
  }
  const asked = new Set<string>();
  const lists = new Set<string>();

  function text(...spellings: string[]): string | null {
    for (const spelling of spellings) asked.add(spelling);
    const found = spellings.findLast((spelling) => given.has(spelling));
    if (found === undefined) return null;
    const value = given.get(found);
    if (value === null || value === undefined) throw new ArgumentError(`argument ${found}: expected one argument`);
    return value;
  }

  function numeric(kind: "int" | "float", pattern: RegExp, spellings: string[], min: number): number | null {
    const value = text(...spellings);
    if (value === null) return null;
    if (!pattern.test(value)) throw new ArgumentError(`argument ${spellings[0]}: invalid ${kind} value: '${value}'`);
    if (Number(value) < min) throw new ArgumentError(`argument ${spellings[0]}: ${value} is below ${min}`);
    return Number(value);
  }

  return {
    text,
    required(...spellings) {
      const value = text(...spellings);
      if (value === null) throw new ArgumentError(`the following arguments are required: ${spellings[0]}`);
      return value;
    },
    integer: (spellings, min) => numeric("int", /^-?\d{1,15}$/, spellings, min),
    decimal: (spelling, min) => numeric("float", /^-?\d{1,15}(\.\d+)?$/, [spelling], min),
    oneOf(spellings, choices, name, otherwise) {
      const value = text(...spellings) ?? otherwise;
      const choice = choices.find((one) => name(one) === value);
      if (choice !== undefined) return choice;
      const names = choices.map((one) => `'${name(one)}'`).join(", ");
      throw new ArgumentError(`argument ${spellings[0]}: invalid choice: '${value}' (choose from ${names})`);
    },
    decimals(spelling) {
      lists.add(spelling);
      const first = text(spelling);
      if (first === null) return null;
      const words = [first, ...unplaced.filter(({ flag }) => flag === spelling).map(({ word }) => word)];
      return words.map((word) => {
        if (Number.isFinite(Number(word))) return Number(word);
        throw new ArgumentError(`argument ${spelling}: invalid float value: '${word}'`);
      });
    },
    asked: () => asked,
    has(spelling) {
      asked.add(spelling);
      return given.has(spelling);
    },
    warnings() {
      const unknown = [...given.keys()].filter(
        (flag) => !asked.has(flag) && !READ_OVER.some((prefix) => flag.startsWith(prefix)),
      );
      const stray = unplaced.filter(({ flag }) => flag === null || !lists.has(flag)).map(({ word }) => word);
      return [...unknown, ...stray].map((word) => `unknown argument ${word} is ignored by the simulated engine`);
    },
  };
}
