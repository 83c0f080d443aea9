/** A program in its own process whose printed lines are waited for. */
import { spawn } from "node:child_process";
import { repository } from "./server-process.ts";

export interface ProgramProcess {
  lines: string[];
  /** Resolves with the first line (seen or still to come) that satisfies `isWanted`. */
  line(what: string, isWanted: (line: string) => boolean): Promise<string>;
  /** A line on its standard input. */
  say(line: string): void;
  /** Closes standard input; resolves with the exit code. */
  end(): Promise<number | null>;
  kill(): void;
}

export function startProgram(
  program: string,
  args: string[],
  environment: Record<string, string> = {},
  waitMilliseconds = 15_000,
): ProgramProcess {
  const child = spawn(program, args, { cwd: repository, env: { ...process.env, ...environment } });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let rest = "";
  let isOver = false;
  const take = (text: string) => {
    rest += text;
    const parts = rest.split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    for (const wake of waiting) wake();
  };
  child.stdout.setEncoding("utf8").on("data", take);
  child.stderr.setEncoding("utf8").on("data", take);
  child.stdin.on("error", () => {});
  const exit = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      isOver = true;
      for (const wake of waiting) wake();
      resolve(code);
    });
  });
  return {
    lines,
    line(what, isWanted) {
      return new Promise((resolve, reject) => {
        const fail = (why: string) => {
          waiting.delete(look);
          clearTimeout(timer);
          reject(new Error(`${why} before: ${what}\n${lines.join("\n")}`));
        };
        const look = () => {
          const found = lines.find(isWanted);
          if (found !== undefined) {
            waiting.delete(look);
            clearTimeout(timer);
            resolve(found);
          } else if (isOver) fail("the program ended");
        };
        const timer = setTimeout(() => fail(`${waitMilliseconds} ms went by`), waitMilliseconds);
        waiting.add(look);
        look();
      });
    },
    say(line) {
      child.stdin.write(`${line}\n`);
    },
    end() {
      child.stdin.end();
      return exit;
    },
    kill() {
      child.kill("SIGKILL");
    },
  };
}
