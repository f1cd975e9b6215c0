import type { PlanView } from "../../control/views/views.ts";
import type { FleetPlanView } from "../../control/views/views-fleet.ts";
import { whyNotApplied } from "../../spec/index.ts";
import { type ConfigFlags, readConfigFile, requestOf, withConfigFlags } from "../config-request.ts";
import { type AddCommand, connect, printJson, printLine } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { fleetPlanLines, fleetRequestOf } from "../fleet-file.ts";
import { notAppliedLines, planLines } from "../plan-lines.ts";
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
    .action(async (words: string[], flags: PlanFlags) => {
      const consequence = "There is no plan for it.";
      const file = await readConfigFile(context, flags, words, consequence);
      const colors = colorsFor(io.stdout, io.env);
      const show = (plan: object, lines: string[]) => {
        if (flags.json) printJson(io, plan);
        else for (const line of lines) printLine(io, line);
      };
      const refusal = whyNotApplied(file.parsed);
      if (refusal !== null) {
        const { type, spec, notes } = file.parsed;
        const plan = { action: "refused", type, name: spec.name, refusal, notes };
        show(plan, notAppliedLines(plan, colors));
        context.exitCode = EXIT.failed;
        return;
      }
      let plan: PlanView | FleetPlanView;
      if (file.parsed.type === "fleet") {
        const { client } = await connect(io);
        plan = await client.planFleet(fleetRequestOf(flags, file));
        show(plan, fleetPlanLines(plan, colors));
      } else {
        const { request } = await requestOf(io, flags, file, consequence);
        const { client } = await connect(io);
        plan = await client.plan(request);
        show(plan, planLines(plan, colors));
      }
      if (plan.action === "refused") context.exitCode = EXIT.failed;
      else if (flags.detailedExitcode && plan.action !== "none") context.exitCode = EXIT.somethingToDo;
    });
};
