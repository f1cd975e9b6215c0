import type { AddCommand } from "../context.ts";
export const addAgent: AddCommand = () => {};
