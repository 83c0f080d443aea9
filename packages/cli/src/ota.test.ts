import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { runThingstead } from "./index.ts";
import { createScriptedIo, type ScriptedAnswer } from "./scripted-io.ts";

const image = Buffer.from("firmware");
const sha256 = createHash("sha256").update(image).digest("hex");
const pack = { id: 7, productKey: "pk", name: "fw", module: "default", version: "2", status: "unverified", files: [], createdAt: "t" };
const job = { id: 3, packageId: 7, kind: "upgrade", selection: "static", version: "2", status: "IN_PROGRESS", createdAt: "t" };
const upload = ["ota", "upload", "fw.bin", "--product", "pk", "--firmware-version", "2"];

function answerUpload(path: string, digest = sha256): ScriptedAnswer {
  return path.endsWith("/files") ? { status: 201, body: { id: 5, bytes: 8, md5: "m", sha256: digest } } : { status: 201, body: pack };
}

test("uploads with a bar for people, then makes a package of the file", async () => {
  const { io, seen } = createScriptedIo({ isErrorTerminal: true, files: { "fw.bin": image }, answer: ({ url }) => answerUpload(url) });
  expect(await runThingstead([...upload, "--diff-from", "1", "--sha256", "--no-verification"], io)).toBe(0);
  expect(Buffer.concat(seen.uploaded).toString()).toBe("firmware");
  expect(seen.requests[0]?.headers).toMatchObject({ "content-length": "8", "content-type": "application/octet-stream" });
  expect(seen.stderr).toContain("100 %");
  expect(JSON.parse(seen.requests[1]?.body ?? "")).toEqual({
    productKey: "pk",
    name: "fw.bin 2",
    version: "2",
    kind: "differential",
    sourceVersion: "1",
    signMethod: "SHA256",
    files: [{ id: 5, name: "fw.bin" }],
    needsVerification: false,
  });
});

test("a file that arrived otherwise, or is not there, becomes no package", async () => {
  const damaged = createScriptedIo({ files: { "fw.bin": image }, answer: ({ url }) => answerUpload(url, "other") });
  expect(await runThingstead(upload, damaged.io)).toBe(1);
  expect(damaged.seen.stderr).toContain("[cli.upload_damaged]");
  expect(damaged.seen.requests).toHaveLength(1);
  const missing = createScriptedIo();
  expect(await runThingstead(upload, missing.io)).toBe(1);
  expect(missing.seen.stderr).toContain("[cli.file_unreadable]");
});

test("options of a batch become a job", async () => {
  const { io, seen } = createScriptedIo({ answer: () => ({ status: 201, body: job }) });
  const options = [
    "--gray",
    "33.33",
    "--from",
    "1,1.1",
    "--rate",
    "50",
    "--stop-percent",
    "20",
    "--tag",
    "a=b=c",
    "--tag",
    "d=e",
    "--no-push",
  ];
  expect(await runThingstead(["ota", "batch", "create", "7", ...options], io)).toBe(0);
  expect(JSON.parse(seen.requests[0]?.body ?? "")).toEqual({
    selection: "static",
    target: { kind: "gray", percent: 33.33 },
    sourceVersions: ["1", "1.1"],
    pushesPerMinuteMax: 50,
    isPushed: false,
    failureStop: { failedPercent: 20, endedCountMin: 10 },
    tags: { a: "b=c", d: "e" },
  });
});

test.each([[["--gray", "0"]], [["--gray", "101"]], [["--tag", "x"]], [["--gray", "5", "--group", "g"]], [["--retry", "6"]]])(
  "wrong usage: %j",
  async (options) => {
    const { io, seen } = createScriptedIo();
    expect(await runThingstead(["ota", "batch", "create", "7", ...options], io)).toBe(2);
    expect(seen.requests).toEqual([]);
  },
);

test("watching ends with the job, and confirming takes page after page", async () => {
  const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  const task = { id: 1, deviceName: "dn", version: "2", status: "SUCCEEDED", progress: 100, description: "success" };
  let loads = 0;
  const watched = createScriptedIo({
    answer({ url }) {
      if (url.includes("/stream"))
        return { pieces: [event("progress", { ...task, status: "IN_PROGRESS", progress: 9 }), event("task", task)] };
      loads += 1;
      return { body: { ...job, status: loads < 3 ? "IN_PROGRESS" : "COMPLETED", tasks: { total: 1, SUCCEEDED: 1 } } };
    },
  });
  expect(await runThingstead(["ota", "watch", "3"], watched.io)).toBe(0);
  expect(watched.seen.stdout).toContain("dn  IN_PROGRESS  9 %");
  expect(watched.seen.stdout).toContain("COMPLETED");

  const pages = [[task, { ...task, id: 2 }], [{ ...task, id: 3 }], []];
  const confirmed = createScriptedIo({
    answer: ({ method }) => (method === "GET" ? { body: { items: pages.shift(), page: 1, pageSize: 200, total: 3 } } : { status: 204 }),
  });
  expect(await runThingstead(["ota", "batch", "confirm", "3", "--json"], confirmed.io)).toBe(0);
  expect(JSON.parse(confirmed.seen.stdout)).toEqual({ jobId: 3, confirmed: 3 });
});

test("a job that is not there is told at once, and no stream is opened for it", async () => {
  const missing = createScriptedIo({ answer: () => ({ status: 404, body: { error: { code: "ota.job_not_found", message: "none" } } }) });
  expect(await runThingstead(["ota", "watch", "77"], missing.io)).toBe(1);
  expect(missing.seen.stderr).toContain("[ota.job_not_found]");
  expect(missing.seen.requests.map(({ url }) => url)).toEqual(["http://server.example/api/v1/ota/jobs/77"]);
});

test("watching goes on when the server was away, and ends when it stays away", async () => {
  let loads = 0;
  const back = createScriptedIo({
    answer({ url }) {
      if (url.includes("/stream")) return { pieces: [new Error("reset")] };
      loads += 1;
      if (loads === 3) throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
      return { body: { ...job, status: loads < 4 ? "IN_PROGRESS" : "COMPLETED" } };
    },
  });
  expect(await runThingstead(["ota", "watch", "3"], back.io)).toBe(0);
  expect(back.seen.stdout).toContain("COMPLETED");
  expect(back.seen.sleeps).toEqual([1_000, 2_000]);

  let count = 0;
  const gone = createScriptedIo({
    answer() {
      count += 1;
      if (count > 1) throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
      return { body: job };
    },
  });
  expect(await runThingstead(["ota", "watch", "3"], gone.io)).toBe(1);
  expect(gone.seen.stderr).toContain("[cli.server_unreachable]");
  expect(gone.seen.sleeps).toHaveLength(5);
});
