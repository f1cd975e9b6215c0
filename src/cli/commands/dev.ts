import type { AddCommand } from "../context.ts";
export const addDev: AddCommand = () => {};
