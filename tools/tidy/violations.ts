/** Finds where the tree breaks the house rules. Pure: takes files, gives violations; `main.ts` reads the disk. */
import { dirname, join, normalize } from "node:path/posix";
import { guardedModules, packageFolders, packageImports, roomImports, sharedPlatformFiles } from "./layers.ts";

export interface SourceFile {
  /** Path from the repository's root, with forward slashes. */
  path: string;
  text: string;
}

export interface Violation {
  rule: string;
  path: string;
  line: number;
  message: string;
}

export const fileLinesMax = 600;

const importPattern = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)"([^"\n]+)"/gm;
const bannedFileNames = /^(utils?|helpers?|common|misc|types)\.(ts|tsx|mjs)$/;
const kebabFile = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|fuzz\.test|bench|config|contract|d))?\.(ts|tsx|mjs|js|css)$/;

/** Lines that may not appear in shipped source, and why. `except` names path prefixes that are the place for it. */
const bannedLines: readonly { rule: string; pattern: RegExp; message: string; except: readonly string[] }[] = [
  {
    rule: "clock-port",
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bset(Timeout|Interval|Immediate)\(/,
    message: "time and chance come through the Clock and Random ports",
    except: [
      "packages/platform/src/clock.ts",
      "packages/device/src/clock.ts",
      "packages/esp-at/src/clock.ts",
      "packages/cli/",
      "tools/",
      "bench/",
      "e2e/",
      "examples/",
    ],
  },
  {
    rule: "config-only-env",
    pattern: /\bprocess\.env\b/,
    message: "settings come through the config schema",
    except: ["packages/platform/src/config", "packages/cli/", "tools/", "bench/", "e2e/", "examples/"],
  },
  {
    rule: "no-promise-marks",
    // The vendor's documents write `xxx-ats.iot…` for any endpoint.
    pattern: /\b(TODO|FIXME|XXX)\b(?!-ats)|\bnot implemented\b/i,
    message: "finish it or name it as missing in an issue",
    except: ["tools/tidy/"],
  },
  {
    rule: "no-silent-skip",
    pattern: /\b(it|test|describe)\.(skip|todo|only)\(/,
    message: "a skip needs a printed reason",
    except: ["tools/tidy/"],
  },
  { rule: "no-escape", pattern: /@ts-ignore|@ts-nocheck|\bas any\b/, message: "types are not switched off", except: ["tools/tidy/"] },
  { rule: "no-eval", pattern: /\beval\(|\bnew Function\(/, message: "nothing is compiled from text at run time", except: ["tools/tidy/"] },
  {
    rule: "product-alone",
    pattern: /(^|["'`\s(])\/(work|tmp\/|root\/|home\/)/,
    message: "no machine paths in the repository",
    except: ["tools/tidy/"],
  },
];

function lineOf(text: string, index: number): number {
  let line = 1;
  for (let i = 0; i < index; i++) if (text.charCodeAt(i) === 10) line++;
  return line;
}

/** The place of a source file: its package folder and, in the platform, its room. */
function placeOf(path: string): { folder: string; room: string } | undefined {
  const match = /^packages\/([^/]+)\/(?:src|bin)\/(?:([^/]+)\/)?/.exec(path);
  if (match === null) return undefined;
  const folder = match[1] ?? "";
  const first = match[2];
  const room = first ?? path.slice(path.lastIndexOf("/") + 1).replace(/\.(test\.)?ts$/, "");
  return { folder, room };
}

function isTest(path: string): boolean {
  return /\.(test|bench|contract)\.ts$/.test(path) || path.includes("/testing/");
}

function checkImport(file: SourceFile, specifier: string, line: number, violations: Violation[]): void {
  const place = placeOf(file.path);
  if (place === undefined) return;
  const report = (rule: string, message: string) => violations.push({ rule, path: file.path, line, message });
  const ownPackage = packageFolders[place.folder];
  if (ownPackage === undefined) {
    report("layers", `packages/${place.folder} is not in the layer table (tools/tidy/layers.ts)`);
    return;
  }
  if (specifier.startsWith(".")) {
    const target = normalize(join(dirname(file.path), specifier));
    // A package may read its own manifest.
    if (target === `packages/${place.folder}/package.json`) return;
    const targetPlace = placeOf(target);
    if (targetPlace === undefined || targetPlace.folder !== place.folder) {
      if (!isTest(file.path)) report("doors", `"${specifier}" leaves the package: import the package by its name`);
      return;
    }
    if (place.folder === "platform") checkRoom(file, specifier, target, place.room, targetPlace.room, report);
    return;
  }
  const packageName = Object.values(packageFolders).find((name) => specifier === name || specifier.startsWith(`${name}/`));
  if (packageName !== undefined && packageName !== ownPackage && !(packageImports[ownPackage] ?? []).includes(packageName)) {
    report("layers", `${ownPackage} may not import ${packageName}: imports go down only`);
  }
  if (isTest(file.path)) return;
  for (const guard of guardedModules) {
    if (!guard.module.test(specifier)) continue;
    const isAllowed = guard.allowed.some((allowed) => allowed === place.folder || allowed === `${place.folder}/${place.room}`);
    if (!isAllowed) report("guarded-modules", `"${specifier}" belongs to ${guard.allowed.join(", ")}`);
  }
}

function checkRoom(
  file: SourceFile,
  specifier: string,
  target: string,
  room: string,
  targetRoom: string,
  report: (rule: string, message: string) => void,
): void {
  if (room === targetRoom) return;
  const relativeTarget = target.slice("packages/platform/src/".length);
  const isRoomFile = /^packages\/platform\/src\/[^/]+\//.test(file.path);
  if (!isRoomFile) {
    if (relativeTarget.includes("/") && !relativeTarget.endsWith("/index.ts"))
      report("doors", `enter ${targetRoom} by its index.ts, not "${specifier}"`);
    return;
  }
  if (sharedPlatformFiles.includes(relativeTarget)) return;
  const allowed = roomImports[room];
  if (allowed === undefined) report("layers", `room ${room} is not in the room table (tools/tidy/layers.ts)`);
  else if (!isTest(file.path) && !allowed.includes(targetRoom)) report("layers", `room ${room} may not import room ${targetRoom}`);
  // The error table is put together from one file per room; everybody else enters by the door.
  if (!isTest(file.path) && !relativeTarget.endsWith("/index.ts"))
    report("doors", `enter ${targetRoom} by its index.ts, not "${specifier}"`);
}

/** All violations of a set of files, in file order. */
export function findViolations(files: readonly SourceFile[]): Violation[] {
  const violations: Violation[] = [];
  for (const file of files) {
    const name = file.path.slice(file.path.lastIndexOf("/") + 1);
    if (!/\.(ts|tsx|mjs|js)$/.test(name)) continue;
    if (bannedFileNames.test(name))
      violations.push({ rule: "file-names", path: file.path, line: 1, message: `${name} says nothing: name it after its main export` });
    else if (!kebabFile.test(name)) violations.push({ rule: "file-names", path: file.path, line: 1, message: `${name} is not kebab-case` });
    const lines = file.text.split("\n");
    if (lines.length > fileLinesMax && !isTest(file.path)) {
      violations.push({
        rule: "file-length",
        path: file.path,
        line: lines.length,
        message: `${lines.length} lines; more than ${fileLinesMax} do more than one thing`,
      });
    }
    for (const match of file.text.matchAll(importPattern)) {
      if (match[1] !== undefined) checkImport(file, match[1], lineOf(file.text, match.index), violations);
    }
    for (const banned of bannedLines) {
      if (banned.except.some((prefix) => file.path.startsWith(prefix))) continue;
      if (isTest(file.path) && (banned.rule === "clock-port" || banned.rule === "config-only-env")) continue;
      lines.forEach((text, index) => {
        if (banned.pattern.test(text))
          violations.push({
            rule: banned.rule,
            path: file.path,
            line: index + 1,
            message: `${banned.message}: ${text.trim().slice(0, 80)}`,
          });
      });
    }
  }
  return violations;
}
