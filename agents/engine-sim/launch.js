// Starts the engine on the Node that runs this. Plain JavaScript, so that an old Node can say that it is too old.
const NEEDED = [22, 18];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) {
  // Kept compiled code spares the next start the compiler of TypeScript: half the time and a third of the memory.
  (await import("node:module")).enableCompileCache?.();
  await import("./main.ts");
} else {
  const found = `the node on PATH is ${process.versions.node}`;
  process.stderr.write(
    `the simulated engine needs Node ${NEEDED.join(".")} or newer; ${found} (${process.execPath})\n`,
  );
  process.exitCode = 1;
}
