import { type AddCommand, countFlag } from "../context.ts";
import { interruption, PORT_MAX, type ServerFlags, startLocalServer } from "../local-server.ts";

export const addServer: AddCommand = (program, { io }) => {
  program
    .command("server")
    .description("Run the control plane on this machine, until Ctrl-C")
    .option("--data-dir <folder>", "where its state is kept (HEADRACE_DATA_DIR; default ~/.local/share/headrace)")
    .option(
      "--database-url <address>",
      "keep it on a libSQL server instead (HEADRACE_DATABASE_URL; the token in HEADRACE_DATABASE_TOKEN)",
    )
    .option("--host <address>", "the address to listen on (HEADRACE_LISTEN_HOST; default 127.0.0.1)")
    .option(
      "--port <port>",
      "the port to listen on, 0 = any (HEADRACE_LISTEN_PORT; default 3000)",
      countFlag(0, PORT_MAX),
    )
    .option(
      "--direct <fleets>",
      "connect to replicas of these fleets without the link, where they are in these networks: " +
        "main/default=10.0.0.0/8,... (HEADRACE_DIRECT_FLEETS; default none)",
    )
    .addHelpText(
      "after",
      "\nThe first start makes project main, fleet default and an admin token, which is shown once and kept in the config file.\n" +
        "\nExamples:\n  headrace server\n  headrace server --host 0.0.0.0 --port 8080 --data-dir /var/lib/headrace\n" +
        "  HEADRACE_DATABASE_TOKEN=... headrace server --database-url libsql://headrace-acme.turso.io",
    )
    .action(async (flags: ServerFlags) => {
      const server = await startLocalServer(io, flags);
      await interruption(io);
      await server.close();
    });
};
