// Starts the demo's two nodes for the browser tests, on ports of their own.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BINARY = process.env.HOTLINE ?? join(ROOT, "target/debug/hotline");
const [CONSOLE_PORT, LINK_PORT] = [7641, 7741];

/** Two nodes with traffic. `stop` ends them and gives the exit code. */
export const startNodes = async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "hotline-e2e-")), "demo");
  const child = spawn(BINARY, ["demo", "--folder", folder, "--console-port", CONSOLE_PORT, "--link-port", LINK_PORT].map(String));
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (output += data));
  const ended = new Promise((resolve) => child.on("exit", (code) => resolve(code)));
  const begin = Date.now();
  while (!output.includes("green's console")) {
    if (Date.now() - begin > 30_000 || child.exitCode !== null) throw new Error(`the demo does not start:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const nodes = ["blue", "green"].map((party, i) => ({
    party,
    url: `http://127.0.0.1:${CONSOLE_PORT + i}`,
    token: readFileSync(join(folder, party, "api-token"), "utf8").trim(),
  }));
  const stop = async () => {
    child.kill("SIGINT");
    return { code: await ended, output };
  };
  return { nodes, folder, stop };
};

/** Speaks to a node as a planner's system does. */
export const planner = async (node, method, path, body) => {
  const answer = await fetch(node.url + path, {
    method, headers: { authorization: `Bearer ${node.token}` }, body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
};
