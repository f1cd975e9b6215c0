import { parseAst } from "vitest/node";
import { lineAt } from "./source-text.ts";

/** One small change of a source, which a good test notices. */
export interface Mutation {
  /** What stands between these offsets ... */
  start: number;
  end: number;
  /** ... is replaced by this. */
  by: string;
  line: number;
}

/** What each operator becomes: its negation, and its neighbour at the boundary. */
const OPERATORS: Record<string, readonly string[]> = {
  "===": ["!=="],
  "!==": ["==="],
  "==": ["!="],
  "!=": ["=="],
  "<": [">=", "<="],
  "<=": [">", "<"],
  ">": ["<=", ">="],
  ">=": ["<", ">"],
  "&&": ["||"],
  "||": ["&&"],
  "??": ["&&"],
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "+=": ["-="],
  "-=": ["+="],
  "??=": ["="],
  "||=": ["="],
  "&&=": ["="],
};

/** Methods that turn into each other. */
const METHODS: Record<string, string> = { some: "every", every: "some", min: "max", max: "min", add: "delete" };

interface Node {
  type: string;
  start: number;
  end: number;
  [field: string]: unknown;
}

/**
 * Every mutation of a TypeScript source: operators and booleans flipped, boundaries moved, conditions forced,
 * negations and statements left out. Texts are left alone: what is said to people is not a decision.
 */
export function mutationsOf(source: string): Mutation[] {
  const mutations: Mutation[] = [];
  const replace = (start: number, end: number, by: string) => {
    mutations.push({ start, end, by, line: lineAt(source, start) });
  };
  visit(parseAst(source, { lang: "ts" }), (node) => mutate(node, source, replace));
  return mutations.sort((a, b) => a.start - b.start || a.end - b.end);
}

export function applyMutation(source: string, { start, end, by }: Mutation): string {
  return source.slice(0, start) + by + source.slice(end);
}

function mutate(node: Node, source: string, replace: (start: number, end: number, by: string) => void): void {
  switch (node.type) {
    case "BinaryExpression":
    case "LogicalExpression":
    case "AssignmentExpression": {
      const [left, right] = [node.left as Node, node.right as Node];
      // Texts are joined with `+`; taking them apart would say nothing about a decision.
      if (node.operator === "+" && (isText(left) || isText(right))) return;
      const at = source.indexOf(node.operator as string, left.end);
      for (const other of OPERATORS[node.operator as string] ?? []) {
        replace(at, at + (node.operator as string).length, other);
      }
      return;
    }
    case "IfStatement":
    case "ConditionalExpression":
      force(node.test as Node, ["true", "false"], replace);
      return;
    case "WhileStatement":
    case "ForStatement":
      // Forced to hold it would never end, which tells nothing.
      if (node.test !== null) force(node.test as Node, ["false"], replace);
      return;
    case "UnaryExpression":
      if (node.operator === "!") replace(node.start, (node.argument as Node).start, "");
      return;
    case "Literal":
      if (typeof node.value === "boolean") replace(node.start, node.end, String(!node.value));
      return;
    case "CallExpression":
      swapMethod(node.callee as Node, replace);
      return;
    case "ExpressionStatement":
    case "ContinueStatement":
    case "BreakStatement":
      replace(node.start, node.end, ";");
      return;
    case "ReturnStatement":
      if (node.argument === null) replace(node.start, node.end, ";");
  }
}

function force(test: Node, values: string[], replace: (start: number, end: number, by: string) => void): void {
  for (const value of values) replace(test.start, test.end, value);
}

function swapMethod(callee: Node, replace: (start: number, end: number, by: string) => void): void {
  const property = callee.type === "MemberExpression" && !callee.computed ? (callee.property as Node) : null;
  const other = property === null ? undefined : METHODS[property.name as string];
  if (property !== null && other !== undefined) replace(property.start, property.end, other);
}

function isText(node: Node): boolean {
  return node.type === "TemplateLiteral" || (node.type === "Literal" && typeof node.value === "string");
}

/** Calls `look` with every node; types hold no decisions and are passed over. */
function visit(value: unknown, look: (node: Node) => void): void {
  if (typeof value !== "object" || value === null) return;
  if (!("type" in value)) {
    for (const each of Object.values(value)) visit(each, look);
    return;
  }
  const node = value as Node;
  if (node.type.startsWith("TSType") || node.type.startsWith("TSInterface")) return;
  look(node);
  for (const each of Object.values(node)) visit(each, look);
}
