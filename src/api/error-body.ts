import * as z from "zod";

/** What every refusal looks like. `issues` name the places of a file (with line and column) or of a request. */
export const errorBody = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    issues: z
      .array(
        z.object({
          file: z.string().optional(),
          line: z.int().optional(),
          column: z.int().optional(),
          path: z.string(),
          message: z.string(),
        }),
      )
      .optional(),
  }),
});

export type ErrorBody = z.infer<typeof errorBody>;
export type RequestIssue = NonNullable<ErrorBody["error"]["issues"]>[number];
