import { type ConfigFlags, readConfigRequest, withConfigFlags } from "../config-request.ts";
import { type AddCommand, connect, printJson, printLine } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { planLines } from "../plan-lines.ts";
import { colorsFor } from "../style.ts";

interface PlanFlags extends ConfigFlags {
  json?: boolean;
  detailedExitcode?: boolean;
}

export const addPlan: AddCommand = (program, context) => {
  const { io } = context;
  const command = program.command("plan").description("Show what an apply would do; changes nothing");
  withConfigFlags(command)
    .option("--json", "print the plan as JSON")
    .option(
      "--detailed-exitcode",
      "exit with 0 when there is nothing to do, 2 when there is, 1 (or 3 to 6) on an error",
    )
    .addHelpText(
      "after",
      "\nExits 1 if an apply would be refused.\n\nExamples:\n" +
        "  headrace plan -f service.yml\n  headrace plan -f service.yml --detailed-exitcode --json > plan.json",
    )
    .action(async (flags: PlanFlags) => {
      const { request } = await readConfigRequest(io, flags, "There is no plan for it.");
      const { client } = await connect(io);
      const plan = await client.plan(request);
      if (flags.json) printJson(io, plan);
      else for (const line of planLines(plan, colorsFor(io.stdout, io.env))) printLine(io, line);
      if (plan.action === "refused") context.exitCode = EXIT.failed;
      else if (flags.detailedExitcode && plan.action !== "none") context.exitCode = EXIT.somethingToDo;
    });
};
